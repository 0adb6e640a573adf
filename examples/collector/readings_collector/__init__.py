"""The collector: fetches readings from an outside service and stores them in MySQL."""

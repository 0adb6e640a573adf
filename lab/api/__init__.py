"""The AWS API: moto in process, with what moto lacks."""

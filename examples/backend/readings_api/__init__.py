"""The readings API: what the collector stored, served as JSON."""

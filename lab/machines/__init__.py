"""EC2 instances as systemd-nspawn machines, and the metadata service they ask."""

"""What stands outside the VPC: a package front and an outside API."""

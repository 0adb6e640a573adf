"""The VPC's resolver: private zones first, then the simulated internet."""

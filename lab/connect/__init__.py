"""The EC2 Instance Connect Endpoint's tunnel."""

"""CloudFront's data plane: nginx, configured from the distributions."""

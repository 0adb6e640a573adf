"""The VPC in the kernel: a pure plan from the API's state, and what applies it."""

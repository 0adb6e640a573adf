"""Lambda functions that run: AWS's own runtime client, in the namespace of an interface in the function's subnet."""

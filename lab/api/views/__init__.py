"""The API's state as the other rooms read it: one module a model."""

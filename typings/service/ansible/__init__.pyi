from typing import Any

# Ansible has no types; only the project's own module_utils below have.
def __getattr__(name: str) -> Any: ...

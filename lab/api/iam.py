"""IAM with AWS's managed policies, which are loaded when somebody first asks IAM: there are 1,600 of them."""

from __future__ import annotations

from typing import Any

import moto.iam.models as moto_models
import moto.iam.urls as moto_urls
from moto.iam.responses import IamResponse


class Backend(moto_models.IAMBackend):  # type: ignore[misc]  # moto has no types here
    """One account's IAM."""

    _url_module = moto_urls

    def _init_aws_policies(self) -> list[Any]:
        return []

    def load_managed_policies(self) -> None:
        """Make AWS's own policies known; does so once."""
        if not getattr(self, "aws_managed_policies", None):
            self.aws_managed_policies: list[Any] = super()._init_aws_policies()
            self.managed_policies.update(self._init_managed_policies())


class Calls(IamResponse):  # type: ignore[misc]  # moto has no types here
    """What answers IAM's actions."""

    def call_action(self) -> Any:
        self.backend.load_managed_policies()
        return super().call_action()


def install() -> None:
    """Put them where moto looks for its own."""
    moto_models.iam_backends.backend = Backend
    moto_urls.url_paths["{0}/$"] = Calls.dispatch

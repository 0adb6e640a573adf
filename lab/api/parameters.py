"""SSM's public parameters that name machine images."""

from __future__ import annotations

from typing import Any

import moto.ssm.models as moto_models
from moto.core.utils import utcnow
from moto.ssm.models import ParameterDict as MotoParameters

from lab.api.images import IMAGES

_OURS = ("/aws/service/debian", "/aws/service/canonical", "/aws/service/ami-amazon-linux-latest", "/lab/image")


class Parameters(MotoParameters):  # type: ignore[misc]  # moto has no types here
    """A region's parameters; the public ones come when somebody asks for one of them."""

    lab_images_loaded = False

    def _check_loading_status(self, key: Any) -> None:
        if str(key or "").startswith(_OURS) and not self.lab_images_loaded:
            self.lab_images_loaded = True
            for image in IMAGES:
                dict.__setitem__(self, image.parameter, [self._parameter(image.parameter, image.id(self.region_name))])
        super()._check_loading_status(key)

    def _load_latest_amis(self) -> None:
        """Amazon's images are among lab.api.images'."""

    def _parameter(self, name: str, value: str) -> Any:
        return moto_models.Parameter(
            account_id=self.account_id,
            name=name,
            value=value,
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=utcnow(),
            version=1,
            data_type="aws:ec2:image" if name.startswith("/aws") else "text",
        )


def install() -> None:
    """Put it where moto looks for its own."""
    moto_models.ParameterDict = Parameters

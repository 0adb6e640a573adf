"""Machine images that a lab can boot, and the public parameters that name them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_AMAZON, _CANONICAL, _DEBIAN = "137112412989", "099720109477", "136693071363"


@dataclass(frozen=True)
class Image:
    """An image of one architecture (``x86_64`` or ``arm64``), named by an SSM public ``parameter``.

    ``user`` is who logs in.
    """

    parameter: str
    name: str
    description: str
    owner_id: str
    owner_alias: str | None
    architecture: str
    root_device: str
    user: str

    def id(self, region: str) -> str:
        """Its id in a region: always the same one."""
        return f"ami-0{hashlib.sha256(f'{region}{self.parameter}'.encode()).hexdigest()[:16]}"


def _debian(release: str, code_name: str, architecture: str) -> Image:
    machine = {"amd64": "x86_64", "arm64": "arm64"}[architecture]
    return Image(
        parameter=f"/aws/service/debian/release/{release}/latest/{architecture}",
        name=f"debian-{release}-{architecture}-20261101-2280",
        description=f"Debian {release} ({code_name})",
        owner_id=_DEBIAN,
        owner_alias=None,
        architecture=machine,
        root_device="/dev/xvda",
        user="admin",
    )


def _ubuntu(release: str, code_name: str, architecture: str) -> Image:
    machine = {"amd64": "x86_64", "arm64": "arm64"}[architecture]
    return Image(
        parameter=f"/aws/service/canonical/ubuntu/server/{release}/stable/current/{architecture}/hvm/ebs-gp3/ami-id",
        name=f"ubuntu/images/hvm-ssd-gp3/ubuntu-{code_name}-{release}-{architecture}-server-20261101",
        description=f"Canonical, Ubuntu, {release}, {architecture} {code_name} image",
        owner_id=_CANONICAL,
        owner_alias="amazon",
        architecture=machine,
        root_device="/dev/sda1",
        user="ubuntu",
    )


def _amazon(architecture: str) -> Image:
    return Image(
        parameter=f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}",
        name=f"al2023-ami-2023.9.20261101.0-kernel-6.12-{architecture}",
        description=f"Amazon Linux 2023 AMI 2023.9.20261101.0 {architecture} HVM kernel-6.12",
        owner_id=_AMAZON,
        owner_alias="amazon",
        architecture=architecture,
        root_device="/dev/xvda",
        user="ec2-user",
    )


def _lab(architecture: str) -> Image:
    machine = {"amd64": "x86_64", "arm64": "arm64"}[architecture]
    return Image(
        parameter=f"/lab/image/{architecture}",
        name=f"lab-debian-{architecture}",
        description="The lab's own Debian machine",
        owner_id=_DEBIAN,
        owner_alias=None,
        architecture=machine,
        root_device="/dev/xvda",
        user="admin",
    )


_ARCHITECTURES = ("amd64", "arm64")

IMAGES: tuple[Image, ...] = (
    *(_debian("12", "bookworm", architecture) for architecture in _ARCHITECTURES),
    *(_debian("13", "trixie", architecture) for architecture in _ARCHITECTURES),
    *(_ubuntu("24.04", "noble", architecture) for architecture in _ARCHITECTURES),
    *(_ubuntu("26.04", "resolute", architecture) for architecture in _ARCHITECTURES),
    *(_amazon(architecture) for architecture in ("x86_64", "arm64")),
    *(_lab(architecture) for architecture in _ARCHITECTURES),
)

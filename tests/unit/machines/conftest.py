from __future__ import annotations

import pytest

from lab.machines.model import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine(
        id="i-0abc",
        name="backend",
        hostname="ip-10-0-1-5.ap-northeast-2.compute.internal",
        image_id="ami-1",
        instance_type="t3.small",
        interface_id="eni-1",
        vpc_id="vpc-1",
        subnet_id="subnet-1",
        availability_zone="ap-northeast-2a",
        region="ap-northeast-2",
        private_ip="10.0.1.5",
        mac="02:00:00:00:00:05",
        public_ip=None,
        desired="running",
        user_data=b"#!/bin/sh\necho \xff\n",
        public_keys=(("deploy", "ssh-ed25519 AAAA deploy"), ("spare", "ssh-ed25519 BBBB spare")),
        tags=(("Project", "madang"),),
        security_groups=("backend", "ssh"),
    )

"""EventBridge Scheduler: schedules in groups that exist, with roles that the scheduler may assume."""

from __future__ import annotations

from typing import Any

import moto.scheduler.models as moto_models
import moto.scheduler.urls as moto_urls
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.responses import EventBridgeSchedulerResponse

from lab.api import permissions
from lab.api.world import world
from lab.settings import ACCOUNT_ID


class Calls(EventBridgeSchedulerResponse):  # type: ignore[misc]  # moto has no types here
    """What answers the scheduler's actions."""

    def create_schedule(self) -> Any:
        self.scheduler_backend.get_schedule_group(self._get_param("GroupName"))  # refuses one that is not there
        self._check_role()
        return super().create_schedule()

    def update_schedule(self) -> Any:
        self._check_role()
        return super().update_schedule()

    def _check_role(self) -> None:
        role = self._get_param("Target", {}).get("RoleArn", "")
        if not permissions.assumable(role, "scheduler.amazonaws.com"):
            raise ValidationException(
                message="The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            )


def schedules() -> list[Any]:
    """Every schedule, as moto has it. Hold the lock."""
    backend = moto_models.scheduler_backends[ACCOUNT_ID][world.settings.region]
    return [schedule for group in backend.schedule_groups.values() for schedule in group.schedules.values()]


def install() -> None:
    """Put it where moto looks for its own."""
    for path in moto_urls.url_paths:
        moto_urls.url_paths[path] = Calls.dispatch

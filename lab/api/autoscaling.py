"""Auto Scaling's DisableMetricsCollection, without which a second run of ``autoscaling_group`` fails."""

from __future__ import annotations

import moto.autoscaling.urls as moto_urls
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult


class Calls(AutoScalingResponse):  # type: ignore[misc]  # moto has no types here
    """What answers Auto Scaling's actions."""

    def disable_metrics_collection(self) -> ActionResult:
        (group,) = self.autoscaling_backend.describe_auto_scaling_groups([self._get_param("AutoScalingGroupName")])
        unwanted = self._get_param("Metrics")
        group.enable_metrics_collection([name for name in group.metrics or [] if unwanted and name not in unwanted])
        return EmptyResult()


def install() -> None:
    """Put it where moto looks for its own."""
    moto_urls.url_paths["{0}/$"] = Calls.dispatch

"""The callback ``calm``: Ansible's own output, in which a task that waits does not look like one that fails."""

from __future__ import annotations

DOCUMENTATION = """
    name: calm
    type: stdout
    short_description: Ansible's default output, with one line where a task waits
    description:
      - The callback C(default) writes C(FAILED - RETRYING) each time that a task with C(until) looks again. That is how
        such a task waits, and no failure.
      - This one says once for each task and host that it waits, and with C(-v) each time, with how often it will still
        look. With C(-vvv) it shows what it saw. A task that has waited in vain fails as it does with C(default).
      - Everything else, and every option, is that callback's.
    author: Madang
    extends_documentation_fragment:
      - default_callback
      - result_format_callback
"""

from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default


class CallbackModule(Default):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "calm"

    def __init__(self) -> None:
        super().__init__()
        self._waiting: set[tuple[str, str]] = set()

    def v2_runner_retry(self, result: Any) -> None:
        line = f"waiting: [{self.host_label(result)}]"
        if self._display.verbosity:
            line += f" (retries left: {result.result['retries'] - result.result['attempts']})"
        elif (result.task._uuid, result.host.get_name()) in self._waiting:
            return
        self._waiting.add((result.task._uuid, result.host.get_name()))
        if self._run_is_verbose(result, verbosity=2):
            line += f" => {self._dump_results(result.result)}"
        # Where some results are not shown, the base waits with the task's name until there is something to say.
        if self._last_task_banner != result.task._uuid:
            self._print_task_banner(result.task)
        self._display.display(line)

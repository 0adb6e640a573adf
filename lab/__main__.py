"""``python -m lab`` is the daemon itself; the command ``lab up`` starts it."""

from __future__ import annotations

import sys
from dataclasses import replace

from lab import cli, daemon

daemon.main(replace(cli.settings_here(), api_only="--api-only" in sys.argv[1:]))

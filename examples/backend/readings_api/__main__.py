"""``python -m readings_api``: serve until told to stop."""

from __future__ import annotations

import sys

import uvicorn

from readings_api.app import create_app
from readings_api.database import Pool, Readings, connect
from readings_api.settings import SettingsError, from_environment


def main() -> int:
    """Return the exit status; a wrong setting is one sentence on standard error."""
    try:
        settings = from_environment()
    except SettingsError as error:
        print(f"readings_api: {error}", file=sys.stderr)
        return 1
    readings = Readings(Pool(lambda: connect(settings.database)))
    uvicorn.run(
        create_app(readings), host=settings.host, port=settings.port, access_log=False, timeout_graceful_shutdown=10
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Bring the schema up to date: ``python -m readings_api.migrate``. Safe to run again and again."""

from __future__ import annotations

import sys
import time

from readings_api.database import UNAVAILABLE, connect
from readings_api.settings import Database, SettingsError, database_from_environment

STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS readings (
        station VARCHAR(64) NOT NULL,
        measured_at DATETIME NOT NULL COMMENT 'UTC',
        temperature_celsius DECIMAL(5, 2) NOT NULL,
        humidity_percent DECIMAL(5, 2) NOT NULL,
        PRIMARY KEY (station, measured_at),
        KEY readings_by_time (measured_at)
    ) CHARACTER SET utf8mb4
    """,
)
"""Run in this order. To change the table later, append a statement that may run twice."""

PATIENCE = 30
"""Seconds to wait for a MySQL that is still starting."""


def migrate(database: Database, patience: float = PATIENCE) -> None:
    """Run every statement; wait at most ``patience`` seconds for MySQL to answer."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with connect(database) as connection, connection.cursor() as cursor:
                for statement in STATEMENTS:
                    cursor.execute(statement)
            return
        except UNAVAILABLE:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def main() -> int:
    """Return the exit status; an error is one sentence on standard error."""
    try:
        migrate(database_from_environment())
    except (SettingsError, *UNAVAILABLE) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    print("migrate: the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())

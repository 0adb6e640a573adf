"""A migration: fails where it is told to."""

import os
import sys

sys.exit("migrate: the table is locked" if os.environ["MIGRATION"] == "failing" else 0)

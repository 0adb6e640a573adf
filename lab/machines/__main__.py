"""``python -m lab.machines image``: build the machine image now, and print where it stands."""

from __future__ import annotations

import argparse
from pathlib import Path

from lab import settings
from lab.machines import image


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.machines", description=__doc__)
    parser.add_argument("what", choices=["image"])
    parser.parse_args()
    print(image.ensure(settings.from_environment(Path.cwd()), lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()

"""The environment's first program: takes the function's variables from standard input, and becomes the runtime client.

They come this way so that no variable of a function's, such as LD_PRELOAD, is set while the environment is made.
"""

import json
import os
import sys

variables = json.load(sys.stdin)
with open(os.devnull) as nothing:  # noqa: PTH123 - pathlib is not worth its import here
    os.dup2(nothing.fileno(), 0)
os.chdir("/var/task")
os.execve(sys.executable, [sys.executable, "-m", "awslambdaric", variables["_HANDLER"]], variables)  # noqa: S606 - a list of arguments, and no shell

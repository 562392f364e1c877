"""The Python that has tomodachi and aioamqp, for scripts that have it speak beside tegami."""

import functools
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where scripts/check has it.
PLACE = pathlib.Path(os.environ.get("CHECK_CACHE") or pathlib.Path.home() / ".cache" / "tegami") / "tomodachi"


@functools.cache
def python():
    """The interpreter, made first if it is not there: at WIRE_PYTHON, which is set to its place in the cache if it is not."""
    place = os.environ.setdefault("WIRE_PYTHON", str(PLACE))
    subprocess.run([ROOT / "scripts/wire-peers", "--install"], check=True)
    return pathlib.Path(place) / "bin/python"

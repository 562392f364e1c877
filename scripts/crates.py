"""What cargo tells of crates, for scripts/dependencies and scripts/release."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def told(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def metadata(*choice):
    return json.loads(told("cargo", "metadata", "--locked", "--format-version", "1", *choice))


def built_with(package, *features):
    """Each crate that is built with a package on any platform, as name and version, with the one that needs it: none for the package."""
    shape = ["--edges", "normal,build", "--target", "all", "--prefix", "depth", "--format", " {p}"]
    above = []
    for line in told("cargo", "tree", "--locked", "--package", package, *features, *shape).splitlines():
        found = re.match(r"(\d+) (\S+) v(\S+)", line)
        if found:
            depth, crate = int(found[1]), (found[2], found[3])
            above[depth:] = [crate]
            yield crate, above[depth - 1] if depth else None

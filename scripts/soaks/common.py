"""What the parts of scripts/soak have in common: numbers that are asked for, tests that are built, and time that is told."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Where docs/proof.md looks for what ran.
KEPT = ROOT / "benches" / "figures"
# The packages and features of scripts/check: who has run the tests has built this.
CHECKED = ["--workspace", "--all-features", "--exclude", "tegami-ui-tests"]


def natural(text):
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def positive(text):
    number = natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 seeds show nothing")
    return number


def made(packages, tests, dev):
    """Where the binaries of these tests are, by their names."""
    profile = [] if dev else ["--release"]
    checks = {"CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS": "true", "CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS": "true"}
    command = ["cargo", "test", *packages, *(word for test in tests for word in ("--test", test)), "--no-run", *profile]
    told = subprocess.run(
        [*command, "--message-format", "json-render-diagnostics"],
        cwd=ROOT, env={**os.environ, **checks}, stdout=subprocess.PIPE, text=True,
    )
    if told.returncode:
        sys.exit(2)
    messages = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    return {m["target"]["name"]: m["executable"] for m in messages if m.get("executable") and m["target"]["name"] in tests}


def machine():
    processor = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return {"processor": processor[1] if processor else "", "cores": os.cpu_count(), "commit": commit()}


def commit():
    asked = lambda *words: subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    changed = asked("status", "--porcelain", "--", ".", ":!benches/README.md", ":!benches/figures", ":!docs")
    return asked("rev-parse", "--short=10", "HEAD") + (", with changes" if changed else "")


def add_figures_to(parser):
    told = "leaves what ran as JSON (default: in benches/figures, where scripts/bench report makes docs/proof.md of it)"
    parser.add_argument("--figures", type=pathlib.Path, nargs="?", const=KEPT, metavar="FILE", help=told)


def keep(figures, part, ran):
    """Leaves what ran where it was asked for."""
    path = figures / f"{part}.json" if figures == KEPT else figures
    path.write_text(json.dumps({"machine": machine(), **ran}, indent=1) + "\n")


def took(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

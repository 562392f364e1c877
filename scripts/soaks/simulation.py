"""scripts/soak simulation: many seeds, block by block."""

import os
import re
import subprocess
import sys
import time

from .common import ROOT, add_figures_to, keep, made, natural, positive, took

# How many seeds are asked for at once: a failure is told behind them.
BLOCK = 1_000
# After how many blocks it says how far it is, where it does not say so to a terminal all the time.
EVERY = 10
FIGURES = ("steps", "messages", "completed", "dead", "by an outbox", "effects", "ticks", "projected")


def add_to(parts):
    simulation = parts.add_parser("simulation", help="tests/simulation: services on a failing transport, on virtual time")
    simulation.add_argument("--seeds", type=positive, default=100_000, metavar="N", help="how many seeds (default: 100000)")
    simulation.add_argument("--from", type=natural, default=0, dest="first", metavar="N", help="the first seed (default: 0)")
    simulation.add_argument("--dev", action="store_true", help="with the dev profile")
    add_figures_to(simulation)
    simulation.set_defaults(run=simulate)


def simulate(_, asked):
    binary = built(asked.dev)
    began, done, sums = time.monotonic(), 0, [0] * len(FIGURES)
    while done < asked.seeds:
        first, count = asked.first + done, min(BLOCK, asked.seeds - done)
        block = tell(binary, first, count)
        failed = re.search(r"^seed (\d+)[: ].*?^replay it with: (.*?)$", block, re.M | re.S)
        if failed:
            show("", end="\r")
            print(failed[0])
            print(f"\nseed {failed[1]} fails; {done} before it did not. Tell it again with:\n    {failed[2]}")
            return 1
        sums = [before + now for before, now in zip(sums, figures(block))]
        done += count
        far = f"{done:,} of {asked.seeds:,} seeds, {pace(began, done, asked.seeds)}"
        show(far)
        if not sys.stdout.isatty() and done % (EVERY * BLOCK) == 0:
            print(far, flush=True)
    show("", end="\r")
    told = ", ".join(f"{number:,} {name}" for number, name in zip(sums, FIGURES))
    print(f"{done:,} seeds from {asked.first:,} on, each twice, in {took(time.monotonic() - began)}: {told}; 0 failures")
    if asked.figures:
        ran = {"from": asked.first, "seeds": done, "failures": 0, "seconds": time.monotonic() - began}
        keep(asked.figures, "simulation", ran)
    return 0


def built(dev):
    """The test's binary. What overflows or breaks an assertion of the library's is a failure in either profile."""
    return made(["-p", "tegami", "--features", "schedule,store,testing"], ["simulation"], dev)["simulation"]


def tell(binary, first, count):
    variables = {"SIMULATION_FROM": str(first), "SIMULATION_SEEDS": str(count), "RUST_BACKTRACE": "0"}
    variables = {**os.environ, **variables}
    variables.pop("SIMULATION_SEED", None)
    told = subprocess.run(
        [binary, "--nocapture"], cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if told.returncode and not re.search(r"^seed \d+", told.stdout, re.M):
        print(told.stdout, file=sys.stderr)
        sys.exit(2)
    return told.stdout


def figures(block):
    line = re.search(r"seeds twice in .*?: (.*)$", block, re.M)[1]
    return [int(number) for number in re.findall(r"(\d+) (?:" + "|".join(FIGURES) + r")\b", line)]


def pace(began, done, all_seeds):
    so_far = time.monotonic() - began
    return f"{took(so_far)}, {took(so_far / done * (all_seeds - done))} to go"


def show(text, end=""):
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end=end, flush=True)

"""Holds what a message costs to what it has cost, by more or less than 2 % of each; scripts/bench counts calls it.

    gate.py PROGRAM          counts, compares with counts.json, and ends with 1 where something costs more
    gate.py PROGRAM bless    writes what is counted into counts.json

Instructions are callgrind's, allocations those that the program itself counts. What a compiler makes of the same source differs
by more than 2 %, and so may what the C library does: instructions are held where both are those of counts.json. With others they
are only told, unless CI is set: a gate that nobody misses when it stands open is none. Allocations are held everywhere.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KEPT = pathlib.Path(__file__).with_name("counts.json")
METRICS = ("instructions", "allocations", "bytes")
# A 2 % more is what no change does by chance: callgrind's own counts differ by less than a tenth of that.
MOST = 0.02
BLESS = "scripts/bench counts bless"


def said(*command):
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def count(program, name):
    """What one message of this scenario costs."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        told = said("valgrind", "--quiet", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counting::counted*",
                    f"--callgrind-out-file={out}", program, name)
        instructions = int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)[1])
    times, blocks, asked = map(int, told.split())
    if not instructions:
        raise SystemExit(f"counts: callgrind saw nothing of {name}")
    return {metric: round(amount / times, 2) for metric, amount in zip(METRICS, (instructions, blocks, asked))}


def count_all(program):
    """{scenario: {metric: amount}}, in the program's order."""
    names = said(program).split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        return dict(zip(names, workers.map(lambda name: count(program, name), names)))


def built_by():
    """What instructions depend on beside the source."""
    rustc = said("rustc", "--version", "--verbose")
    host = re.search(r"^host: (.+)$", rustc, re.MULTILINE)[1]
    return f"{rustc.splitlines()[0]}, {host}, {os.confstr('CS_GNU_LIBC_VERSION')}"


def told(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def change(old, new):
    return (new - old) / old if old else (1.0 if new else 0.0)


def differences(kept, counted, metrics):
    """(more, less): what costs more than is allowed, and what so much less that it is to be taken over."""
    more, less = [], []
    for name, amounts in counted.items():
        for metric in metrics:
            if name not in kept:
                more.append(f"{name}: has no value yet")
                break
            old, new = kept[name][metric], amounts[metric]
            by = change(old, new)
            if abs(by) > MOST:
                (more if by > 0 else less).append(f"{name}: {metric} were {told(old)}, are {told(new)} ({by:+.1%})")
    more += [f"{name}: is counted no more" for name in kept if name not in counted]
    return more, less


def show(kept, counted):
    width = max(map(len, counted))
    print(f"   {'':{width}} {'instructions':>22} {'allocations':>20} {'bytes':>20}")
    for name, amounts in counted.items():
        cells = []
        for metric, room in zip(METRICS, (22, 20, 20)):
            old, new = kept.get(name, {}).get(metric), amounts[metric]
            by = f" ({change(old, new):+.1%})" if old is not None else ""
            cells.append(f"{told(new) + by:>{room}}")
        print(f"   {name:{width}} {' '.join(cells)}")


def bless(counted):
    lines = [f"    {json.dumps(name)}: {json.dumps(amounts)}" for name, amounts in counted.items()]
    KEPT.write_text("{\n" + f'  "built by": {json.dumps(built_by())},\n  "costs": {{\n' + ",\n".join(lines) + "\n  }\n}\n")
    print(f"   {KEPT.name} is written")


def check(kept, counted):
    same = kept["built by"] == built_by()
    metrics = METRICS if same else METRICS[1:]
    more, less = differences(kept["costs"], counted, metrics)
    if not same:
        print(f"   instructions are not held: counts.json has those of {kept['built by']}, this is {built_by()}")
        if os.environ.get("CI"):
            more.append("in CI instructions must be held: take over those of this compiler and C library")
    for line in more + less:
        print(f"   {line}")
    if more:
        print(f"   some cost more than 2 % more; where that is meant: {BLESS}")
    elif less:
        print(f"   some cost more than 2 % less; so that it stays so: {BLESS}")
    return 1 if more else 0


def main(program, *words):
    counted = count_all(program)
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"built by": None, "costs": {}}
    show(kept["costs"], counted)
    if words == ("bless",):
        bless(counted)
        return 0
    return check(kept, counted)


sys.exit(main(*sys.argv[1:]))

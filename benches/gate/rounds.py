"""Has the gate and `buf breaking` compare the same contracts in turns, a line of JSON for each; scripts/bench calls it.

    rounds.py TEGAMI BUF ROUNDS

The contracts: 1,000 events of 20 fields each, in 50 files; of every twentieth, the last field is removed.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TEGAMI, BUF = sys.argv[1:3]
ROUNDS = int(sys.argv[3])
FILES, EVENTS, FIELDS, EVERY = 50, 20, 20, 20
TYPES = ("string", "int64", "bool", "double", "uint32")
OPTIONS = pathlib.Path(__file__).resolve().parents[2] / "codegen/proto/tegami/v1/options.proto"


def contract(file, removed):
    lines = ['syntax = "proto3";', f"package shop.part{file}.v1;", 'import "tegami/v1/options.proto";']
    for event in range(EVENTS):
        lines += [f"message Happened{event} {{", "  option (tegami.v1.event) = {};"]
        fields = FIELDS - (removed and event % EVERY == 0)
        for field in range(1, fields + 1):
            rules = " [(tegami.v1.field) = { key: true }]" if field == 1 else ""
            lines.append(f"  {TYPES[(field - 1) % len(TYPES)]} field_{field} = {field}{rules};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def written(folder, removed):
    for file in range(FILES):
        path = folder / f"shop/part{file}/v1/part{file}.proto"
        path.parent.mkdir(parents=True)
        path.write_text(contract(file, removed))
    return folder


def with_options(folder, to):
    """buf has no options of ours."""
    shutil.copytree(folder, to)
    (to / "tegami/v1").mkdir(parents=True)
    shutil.copy(OPTIONS, to / "tegami/v1")
    (to / "buf.yaml").write_text("version: v2\nbreaking:\n  use: [WIRE_JSON]\n")
    return to


def timed(command):
    """Seconds, the most memory, what was printed, and the exit code."""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        out.seek(0)
        return seconds, used.ru_maxrss * 1024, out.read().decode(), os.waitstatus_to_exitcode(status)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        old, new = written(folder / "old", False), written(folder / "new", True)
        sides = {
            "tegami": [TEGAMI, "contracts", "check", str(new), "--against", str(old), "--format", "json"],
            "buf": [BUF, "breaking", with_options(new, folder / "buf-new"), "--against", with_options(old, folder / "buf-old")],
        }
        expected = FILES * EVENTS // EVERY
        for number in range(ROUNDS):
            for side, command in list(sides.items())[:: 1 if number % 2 == 0 else -1]:
                seconds, memory, text, code = timed(command)
                found = text.count('"field-removed"') if side == "tegami" else text.count("without reserving the number")
                if found != expected or code not in (1, 100):
                    sys.exit(f"{side} found {found} of {expected} removed fields, and ended with {code}:\n{text[:2000]}")
                print(json.dumps({"round": number, "side": side, "seconds": seconds, "memory": memory}), flush=True)


main()

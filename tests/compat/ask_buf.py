#!/usr/bin/env python3
"""Asks buf for what `tests/published.rs` says of it, row by row, and tells which rows it answers otherwise.

    tests/compat/ask_buf.py BUF        BUF is the program; npm has it as @bufbuild/buf
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = HERE.parents[1] / "codegen/proto/tegami/v1/options.proto"
TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"rule: {TEXT}, old: {TEXT}, new: {TEXT}, buf: \[(\w+), (\w+)\]")
VALUES = {"-B": "A = 0;", "B=C": "A = 0; C = 1;", "+C": "A = 0; B = 1; C = 2;"}


def contract(fields):
    fields, _, change = fields.replace('\\"', '"').partition("// ")
    values = VALUES.get(change, "A = 0; B = 1;")
    return (f'syntax = "proto3"; package buf.v1; import "tegami/v1/options.proto";\n'
            f"message Happened {{ option (tegami.v1.event) = {{}};\n{fields}\n}} enum E {{ {values} }}")


def tree(folder, fields, category):
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tegami/v1").mkdir(parents=True)
    shutil.copy(OPTIONS, folder / "tegami/v1")
    (folder / "a.proto").write_text(contract(fields))
    (folder / "buf.yaml").write_text(f"version: v2\nbreaking:\n  use: [{category}]\n")
    return folder


def asked(buf, folder, old, new, category):
    before, after = tree(folder / "old", old, category), tree(folder / "new", new, category)
    done = subprocess.run([buf, "breaking", after, "--against", before], capture_output=True, text=True)
    known = {0: "Safe", 100: "Breaking"}
    return known.get(done.returncode) or sys.exit(done.stdout + done.stderr)


def main():
    rows, wrong = ROW.findall((HERE / "tests/published.rs").read_text()), 0
    with tempfile.TemporaryDirectory() as folder:
        for rule, old, new, *told in rows:
            said = [asked(sys.argv[1], pathlib.Path(folder), old, new, category) for category in ("WIRE", "WIRE_JSON")]
            if said != told:
                print(f"{rule}: buf says {said}, the row {told}")
                wrong += 1
    print(f"{len(rows) - wrong} of {len(rows)} rows are as buf says")
    sys.exit(1 if wrong else 0)


main()

"""Write the names of Linux system calls from the table of libseccomp.

    git clone https://github.com/seccomp/libseccomp
    python -m tools.generate_syscalls libseccomp/src/syscalls.csv

The table's first line says of which kernel it is. Its columns are numbers by architecture; since
Linux 5.1 a new call has the same number on all of them.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap

from sandboxd.files import write_atomic

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = "sandboxd/model/_syscall_names.py"
_FIRST_SHARED = 424


def module(table: str) -> str:
    """The text of the module that holds the names in `table`."""
    head, *lines = table.splitlines()
    version = re.match(r"#syscall \((v\S+) (\d{4}-\d{2}-\d{2})\)", head)
    column = head.split(",").index("x86_64")
    if version is None:
        raise SystemExit("error: the first line of the table does not say of which kernel it is")
    rows = [line.split(",") for line in lines if line]
    names = textwrap.fill(" ".join(sorted(row[0] for row in rows)), 98)
    shared = sorted(
        (int(row[column]), row[0])
        for row in rows
        if row[column].isdecimal() and int(row[column]) >= _FIRST_SHARED
    )
    newest = "".join(f'    "{name}": {number},\n' for number, name in shared)
    return (
        '"""Names of Linux system calls on all architectures, and the numbers of the newest.\n\n'
        f"Made by `python -m tools.generate_syscalls` from libseccomp's `src/syscalls.csv`.\n"
        '"""\n\nfrom __future__ import annotations\n\n'
        f'KERNEL = "{version[1].removeprefix("v")}"\nDATE = "{version[2]}"\n"""Of the table."""\n\n'
        "# Since Linux 5.1 a call has the same number on every architecture.\n"
        f'NEWEST = {{\n{newest}}}\n\nNAMES = """\n{names}\n"""\n'
    )


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tools.generate_syscalls FILE")
    with open(sys.argv[1], encoding="utf-8") as file:
        text = module(file.read())
    write_atomic(os.path.join(ROOT, TARGET), text.encode())
    print(TARGET)


if __name__ == "__main__":
    main()

"""Write sandboxd/rules/IDS.txt, or with `--check` say whether it is out of date.

Rules are found by looking into a folder, so one that is lost would be lost in silence. The list
is what users may rely on: an id that stands in it is never renamed.
"""

from __future__ import annotations

import argparse
import os
import sys

from sandboxd import rules
from sandboxd.files import write_atomic

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATH = f"{ROOT}/sandboxd/rules/IDS.txt"


def text() -> str:
    """One id a line, in order."""
    return "".join(f"{rule}\n" for rule in sorted(rules.load()))


def main() -> int:
    """Run; exit 1 when `--check` finds the list out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    if not args.check:
        write_atomic(PATH, text().encode())
        return 0
    with open(PATH, encoding="utf-8") as file:
        fresh = file.read() == text()
    if not fresh:
        print("out of date: sandboxd/rules/IDS.txt", file=sys.stderr)
        print("hint: run `python -m tools.generate_rule_ids`", file=sys.stderr)
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())

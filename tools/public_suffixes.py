"""Writes sandboxd/egress/public_suffixes.txt anew from the list that the PyPI package `publicsuffixlist` holds.

    uv run --with publicsuffixlist python -m tools.public_suffixes

A development-time input: nothing of it is needed when sandboxd runs. Suffixes of a single label are
left out, since a wildcard below one is always refused.
"""

from __future__ import annotations

import importlib.resources
import re
import sys
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "sandboxd" / "egress" / "public_suffixes.txt"

_HEAD = """\
// This Source Code Form is subject to the terms of the Mozilla Public
// License, v. 2.0. If a copy of the MPL was not distributed with this
// file, You can obtain one at https://mozilla.org/MPL/2.0/.
//
// Names below which anybody may have one: those of more than one label, from the list at
// https://publicsuffix.org/list/public_suffix_list.dat ({version}), without
// its comments and with punycode for letters beyond ASCII. Made by tools/public_suffixes.py.
"""


def compact(text: str) -> str:
    """The suffixes of the list `text` in the form that ships."""
    match = re.search(r"^// VERSION: (\S+)", text, re.MULTILINE)
    if match is None:
        raise ValueError("the list does not say its version")
    lines = (line.strip() for line in text.splitlines())
    rules = {_ascii(line) for line in lines if "." in line and not line.startswith("//")}
    return _HEAD.format(version=f"version {match[1]}") + "\n".join(sorted(rules)) + "\n"


def _ascii(rule: str) -> str:
    return ".".join(
        label if label.isascii() else label.encode("idna").decode("ascii")
        for label in rule.split(".")
    )


def main() -> int:
    """Write the file; the exit code."""
    package = importlib.resources.files("publicsuffixlist")
    OUTPUT.write_text(compact((package / "public_suffix_list.dat").read_text("utf-8")), "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())

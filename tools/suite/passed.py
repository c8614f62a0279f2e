"""When each part of the suite last passed: `tests/passed.toml`, which whole runs write and developers commit."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tomli_w

from tools.suite.reach import git

STORE = Path("tests", "passed.toml")
PROMISES = "promises"
"""The name of what no part names, which each whole run runs."""

_HEAD = """\
# The commit at which each part of tests/tiers.toml last passed in a whole run, and the day; `promises` is what no part
# names. `./dev test --everything` and `./dev test --landing` write it where all passed and everything was committed:
# commit it, too.
"""


class Passed(NamedTuple):
    """The last run in which a part passed."""

    commit: str
    day: str
    """As YYYY-MM-DD; it orders the parts."""


NEVER = Passed("", "")


def load(root: Path) -> dict[str, Passed]:
    """By part; those that never passed in a whole run are not in it."""
    try:
        text = (root / STORE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    rows = tomllib.loads(text)
    return {part: Passed(row["commit"], row["day"]) for part, row in rows.items()}


def write(root: Path, parts: Iterable[str], day: str) -> bool:
    """Say that the parts passed at the last commit; False, and nothing is written, where the tree is another."""
    commit = git(root, "rev-parse", "HEAD")
    if not commit or git(root, "status", "--porcelain", "--untracked-files=no"):
        return False
    rows = load(root) | dict.fromkeys(parts, Passed(commit[0], day))
    table = {part: row._asdict() for part, row in sorted(rows.items())}
    (root / STORE).write_text(f"{_HEAD}\n{tomli_w.dumps(table)}", encoding="utf-8")
    return True

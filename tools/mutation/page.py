"""docs/mutation.md: how many changes are noticed, and why those that are not stay."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.mutation.sample import room
from tools.mutation.trial import Outcome

REASONS = Path(__file__).with_name("reasons.toml")

_HEAD = """# What the tests notice

<!-- made by `python -m tools.mutation`; the reasons are in tools/mutation/reasons.toml -->
<!-- not run on this page: it takes hours -->

A test suite is worth what it notices. `python -m tools.mutation` draws changes of one point of the code
(a guard dropped, a comparison turned, an item of a list left out, a call forgotten), the same for the
same code and seed: each room of the package has its share, and a third are items of lists. Each change
is made in a clone; the tests of its room run, then the thirty files of unit, rule and contract tests that
import the module most directly, and one of them should fail. Tests that need an engine, a daemon or an editor do not count here.

"""


def reasons() -> dict[str, str]:
    """Why a survivor stays, by the title of its change."""
    rows = tomllib.loads(REASONS.read_text(encoding="utf-8")).get("survivor", [])
    return {row["change"]: row["reason"] for row in rows}


def render(outcomes: Sequence[Outcome], seed: int, drawn: int, red: int) -> str:
    """The page; `drawn` is the size of the sample, `red` counts tests that fail without a change."""
    noticed = sum(bool(each.noticed_by) for each in outcomes)
    lines = [
        f"Seed {seed}: of {len(outcomes)} changes {noticed} were noticed, "
        f"{100 * noticed // max(1, len(outcomes))} %."
    ]
    if drawn > len(outcomes):
        lines.append(f"The run was ended before the other {drawn - len(outcomes)} of {drawn}.")
    if red:
        lines.append(f"{red} tests fail without any change, and were left out.")
    lines += ["", *_table("room", [(room(each.path), each) for each in outcomes])]
    lines += ["", *_table("change", [(each.kind, each) for each in outcomes])]
    lines += ["", "## Survivors", ""]
    why = reasons()
    for each in sorted(outcomes):
        if not each.noticed_by:
            lines.append(f"- {each.title}")
            lines.append(f"  - {why.get(each.title, 'open: no test requires it yet')}")
    return _HEAD + "\n".join(lines) + "\n"


def _table(head: str, rows: Sequence[tuple[str, Outcome]]) -> list[str]:
    drawn = Counter(key for key, _ in rows)
    noticed = Counter(key for key, each in rows if each.noticed_by)
    lines = [f"| {head} | changes | noticed |", "|---|---|---|"]
    return lines + [f"| {key} | {drawn[key]} | {noticed[key]} |" for key in sorted(drawn)]

"""docs/mutation.md: how many changes are noticed, and why those that are not stay."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.mutation.sample import room
from tools.mutation.trial import Outcome

REASONS = Path(__file__).with_name("reasons.toml")

_HEAD = """# What the tests notice

<!-- made by `python -m tools.mutation`; the reasons are in tools/mutation/reasons.toml -->
<!-- not run on this page: it takes hours -->

A test suite is worth what it notices. `python -m tools.mutation` draws changes of one point of the code
(a guard dropped, a comparison turned, an item of a list left out, a call forgotten), the same for the
same code and seed: each room of the package has its share, and a third are items of lists. Where the code
changes, the sample changes there alone. Each change is made in a clone. One run of the unit, rule and contract
tests before has recorded which of them run which function; of those that run the changed one, or use the changed
value, half a minute's worth are tried, the nearest and cheapest first, and one should fail, twice, and pass
without the change. For an item of a list all tests of its room are tried as well: cases that are made from it read
it before they run. Where no test runs what is changed, those of its room and the thirty files that import the
module most directly are tried. Tests that need an engine, a daemon or an editor do not count here, but for those that
tools/mutation/reasons.toml names for a change.

"""


def reasons() -> dict[str, str]:
    """Why a survivor stays, by the title of its change."""
    return {row["change"]: row["reason"] for row in _rows("survivor")}


def processes() -> dict[str, list[str]]:
    """Tests of whole processes that are tried for a change which others do not notice, by its title."""
    return {row["change"]: row["tests"] for row in _rows("process")}


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(REASONS.read_text(encoding="utf-8")).get(name, [])
    return rows


def _at_first(seed: int) -> list[str]:
    """What a sample showed when it was drawn, before tests for its survivors were written."""
    for row in _rows("sample"):
        if row["seed"] == seed:
            noticed, drawn = row["noticed"], row["drawn"]
            return [
                "",
                f"When this sample was drawn, {noticed} of {drawn} were noticed, "
                f"{100 * noticed // drawn} %: that is what the next seed would show of code for which "
                "nobody has written tests since.",
                *(["", row["note"]] if "note" in row else []),
            ]
    return []


def render(outcomes: Sequence[Outcome], seed: int, drawn: int, red: int) -> str:
    """The page; `drawn` is the size of the sample, `red` counts tests that fail without a change."""
    noticed = sum(bool(each.noticed_by) for each in outcomes)
    lines = [
        f"    python -m tools.mutation --sample {drawn} --seed {seed}",
        "",
        f"Seed {seed}: of {len(outcomes)} changes {noticed} were noticed, "
        f"{100 * noticed // max(1, len(outcomes))} %.",
    ]
    named = processes()
    of_processes = sum(bool(each.noticed_by) and each.title in named for each in outcomes)
    if of_processes:
        lines.append(f"{of_processes} of them were noticed by tests of whole processes.")
    if drawn > len(outcomes):
        lines.append(f"The run was ended before the other {drawn - len(outcomes)} of {drawn}.")
    if red:
        lines.append(f"{red} tests fail without any change, and were left out.")
    lines += _at_first(seed)
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

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
is made in a clone. One run of the unit, rule and contract tests before has recorded which of them run
which function; of those that run the changed one, half a minute's worth are tried, the nearest and cheapest
first, and one should fail, twice, and pass without the change. Where no test runs it, those of its room and
the thirty files that import the module most directly are tried. Tests that need an engine, a daemon or an
editor do not count here, unless `--processes` is given.

"""


def reasons() -> dict[str, str]:
    """Why a survivor stays, by the title of its change."""
    rows = tomllib.loads(REASONS.read_text(encoding="utf-8")).get("survivor", [])
    return {row["change"]: row["reason"] for row in rows}


def _at_first(seed: int) -> list[str]:
    """What a sample showed when it was drawn, before tests for its survivors were written."""
    for row in tomllib.loads(REASONS.read_text(encoding="utf-8")).get("sample", []):
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

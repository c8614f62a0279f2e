"""Rows of a table of measurements, with what was asked for, and the command that prints them."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """A line of the table: `budget` is the highest value that passes, None for a mere fact."""

    what: str
    value: float | None
    unit: str
    budget: float | None
    detail: str

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.budget is None:
            return ""
        return "ok" if self.value <= self.budget else "OVER"


def of_runtimes(
    text: str | None, rounds: int, measure: Callable[[int, Sequence[str]], list[Row]]
) -> int:
    """The command of a benchmark that runs under several runtimes; its exit code.

    :param text: the docstring of the benchmark, whose first line describes it
    :param rounds: how many there are unless `--rounds` says otherwise
    :param measure: called with the number of rounds and the runtimes
    """
    parser = argparse.ArgumentParser(description=(text or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--runtime", default="runc,gvisor")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a budget is not kept")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    measured = measure(max(args.rounds, 3), args.runtime.split(","))
    print(as_json(measured) if args.json else table(measured))
    return 1 if args.strict and any(r.verdict in ("OVER", "not measured") for r in measured) else 0


def spread(
    what: str, times: list[float], p50: float | None, high: float | None, percent: int = 95
) -> list[Row]:
    """The median, and the time that `percent` of all keep.

    :param times: in milliseconds
    :param p50: the budget of the median
    :param high: the budget of the other
    """
    ordered = sorted(times)
    rare = ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
    return [
        Row(f"{what}, p50", statistics.median(ordered), "ms", p50, f"of {len(ordered)}"),
        Row(
            f"{what}, p{percent}", rare, "ms", high, f"min {ordered[0]:.1f}, max {ordered[-1]:.1f}"
        ),
    ]


def table(rows: list[Row]) -> str:
    cells = [("measured", "value", "budget", "verdict", "")]
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.2f} {row.unit}".strip()
        budget = "" if row.budget is None else f"<= {row.budget:g} {row.unit}".strip()
        cells.append((row.what, value, budget, row.verdict, row.detail))
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return "\n".join(
        "  ".join(
            [*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]]
        ).rstrip()
        for line in cells
    )


def as_json(rows: list[Row]) -> str:
    return json.dumps([{**row._asdict(), "verdict": row.verdict} for row in rows], indent=1)

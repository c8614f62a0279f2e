"""Rows of a table of measurements, with what was asked for."""

from __future__ import annotations

import json
import statistics
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


def spread(what: str, seconds: list[float], p50: float, p95: float) -> list[Row]:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return [
        Row(f"{what}, p50", statistics.median(ordered), "ms", p50, f"of {len(ordered)}"),
        Row(f"{what}, p95", high, "ms", p95, f"min {ordered[0]:.1f}, max {ordered[-1]:.1f}"),
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

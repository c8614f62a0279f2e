"""Measurements as numbers: medians, and ratios within a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

from sandboxd.bench.conclusion import conclusion

COMMAND = "command"
"""The name of the row of the user's own command."""


class Variant(NamedTuple):
    """A sandbox that is measured. `runtime` is the engine's name of the runtime that it ran with, '' before it ran."""

    name: str
    title: str
    profile: str
    runtime: str = ""


class Row(NamedTuple):
    """One kind of work: its times in milliseconds by variant, one for each round.

    `why` has, by variant, the reason why there are no times.
    """

    name: str
    title: str
    unit: str
    times: dict[str, list[float]]
    why: dict[str, str]

    def milliseconds(self, variant: str) -> float | None:
        """The median of a variant's times, in milliseconds; None where it was not measured."""
        times = self.times.get(variant)
        return median(times) if times else None

    def ratio(self, variant: str, base: str) -> float | None:
        """The median, over the rounds, of the variant's time divided by that of `base` in the same round; None
        without times.
        """
        return self._of_ratios(variant, base, median)

    def spread(self, variant: str, base: str) -> tuple[float, float] | None:
        """The smallest and the largest ratio of one round; None without times."""
        low = self._of_ratios(variant, base, min)
        high = self._of_ratios(variant, base, max)
        return None if low is None or high is None else (low, high)

    def _of_ratios(
        self, variant: str, base: str, choose: Callable[[list[float]], float]
    ) -> float | None:
        pairs = zip(self.times.get(variant, ()), self.times.get(base, ()), strict=False)
        ratios = [mine / other for mine, other in pairs if other > 0]
        return choose(ratios) if ratios else None


class Trial(NamedTuple):
    """A change of the project's config that was measured with the user's command.

    `ratio` is the median of its time divided by that of the unchanged sandbox in the same round, `low` and `high` are
    the extremes; None where it was not measured, and `why` says why.
    """

    line: str
    """The line for `[workspace]` of sandboxd.toml."""
    price: str
    """The drawback of that line, for a person."""
    milliseconds: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


class Results(NamedTuple):
    """All that one run of `bench` measured."""

    project: str
    variants: tuple[Variant, ...]
    """The measured sandboxes; the others are compared with the first."""
    rows: tuple[Row, ...]
    rounds: int
    when: str
    """Date and time of the run."""
    host: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    """Sandboxes that were not measured, and why: a sentence each."""
    own: str = ""
    """The name of the variant that `up` would start for the project; '' if it was not measured."""
    trials: tuple[Trial, ...] = ()

    @property
    def command(self) -> Row | None:
        """The row of the user's own command; None where workloads were measured."""
        return next((row for row in self.rows if row.name == COMMAND), None)


def document(results: Results) -> dict[str, Any]:
    """The results as a JSON value: all fields are present, times are in milliseconds, ratios to the first variant."""
    base = results.variants[0].name
    return {
        "version": 1,
        "project": results.project,
        "when": results.when,
        "rounds": results.rounds,
        "host": dict(results.host),
        "base": base,
        "variants": [variant._asdict() for variant in results.variants],
        "left_out": list(results.left_out),
        "own": results.own,
        "conclusion": conclusion(results),
        "trials": [_rounded(trial) for trial in results.trials],
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "unit": row.unit,
                "figures": {v.name: _figure(row, v.name, base) for v in results.variants},
            }
            for row in results.rows
        ],
    }


def _rounded(trial: Trial) -> dict[str, Any]:
    """A trial with its figures as those of rows have them."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in trial._asdict().items()
    }


def _figure(row: Row, variant: str, base: str) -> dict[str, Any]:
    milliseconds, ratio = row.milliseconds(variant), row.ratio(variant, base)
    spread = row.spread(variant, base)
    return {
        "milliseconds": None if milliseconds is None else round(milliseconds, 4),
        "ratio": None if ratio is None else round(ratio, 3),
        "low": None if spread is None else round(spread[0], 3),
        "high": None if spread is None else round(spread[1], 3),
        "why": row.why.get(variant, ""),
    }


def figures_to_remember(results: Results) -> dict[str, Any]:
    """The ratios of gVisor to the first variant that are stored, for `recommend`."""
    base = results.variants[0].name
    gvisor = next((v.name for v in results.variants if v.name == "gvisor"), None)
    figures = []
    for row in results.rows:
        plain, other = row.milliseconds(base), row.milliseconds(gvisor) if gvisor else None
        if plain and other:
            figures.append({"what": row.title, "runc_ms": plain, "gvisor_ms": other})
    return {"when": results.when, "results": figures}

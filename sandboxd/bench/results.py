"""Measurements as numbers (medians, and ratios within a round), and their conclusion in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

COMMAND = "command"
"""The name of the row of the user's own command."""
NOTHING = 1.1
"""A ratio below this counts as no difference, since other programs run on the machine, too."""
_LEAST_GAIN = 0.9


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
    """The measurements of one run of `bench`."""

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


def conclusion(results: Results) -> str:
    """The sentence for a person; '' where workloads and no command were measured."""
    row = results.command
    if row is None:
        return ""
    what, base = f"`{row.title}`", results.variants[0]
    if base.name != "runc":
        # gVisor alone was to be had.
        return f"{what} takes {_time(row, base.name)} in {base.title}; {_nothing_beside(results)}"
    ratio = row.ratio("gvisor", "runc")
    if ratio is None:
        return f"{what} takes {_time(row, 'runc')} in runc; {_nothing_beside(results)}"
    if ratio <= NOTHING:
        return f"{what} takes no longer in gVisor than in runc: {ratio:.2f} x"
    cost = f"{what} takes {ratio:.2f} x as long in gVisor as in runc"
    if results.own != "gvisor":
        return f"{cost}, which this project uses"
    return f"{cost}; {_of_trials(results, ratio)}"


def best(results: Results) -> Trial | None:
    """The tried change that saves the most time; None where none was faster in every round."""
    helping = [
        trial
        for trial in results.trials
        if trial.ratio is not None and trial.ratio <= _LEAST_GAIN and (trial.high or 1.0) < 1.0
    ]
    return min(helping, key=lambda trial: trial.ratio or 1.0, default=None)


def _of_trials(results: Results, ratio: float) -> str:
    if (trial := best(results)) is not None and trial.ratio is not None:
        return f"`{trial.line}` makes it {ratio * trial.ratio:.2f} x"
    tried = len(results.trials)
    if not tried:
        return "there is no change to try"
    return (
        "the change that was tried does not help"
        if tried == 1
        else f"none of {tried} changes helps"
    )


def _nothing_beside(results: Results) -> str:
    return results.left_out[0] if results.left_out else "nothing else was measured beside it"


def _time(row: Row, variant: str) -> str:
    return duration(row.milliseconds(variant) or 0.0)


def duration(milliseconds: float) -> str:
    """A duration in milliseconds as text for a person: `4.21 ms`, `180 ms`, `2.30 s`."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.2f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"

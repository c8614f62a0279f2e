"""Sums up a measured command in one sentence: what the sandbox costs, and which change makes it fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.bench.results import Results, Row, Trial

NOTHING = 1.1
"""A ratio below this counts as no difference, since other programs run on the machine, too."""
_LEAST_GAIN = 0.9


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

"""Judges the pins of the sandbox itself: what the host observes of them takes precedence over every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.pin import LOST, headline, not_checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.observe.pin import Pin
    from sandboxd.verify.verdict import Result

ATTEMPT = "lost-pin"


def judged(results: Iterable[Result], pins: Iterable[Pin]) -> list[Result]:
    """`results`, with the attempt about lost pins first if a pin is lost; inconclusive if a read-only pin cannot be
    observed.

    :param pins: those of the sandbox, observed after all attempts
    """
    pins = tuple(pins)
    return sorted((_judged(result, pins) for result in results), key=lambda r: not _is_lost(r))


def _judged(result: Result, pins: tuple[Pin, ...]) -> Result:
    if result.id != ATTEMPT:
        return result
    if lost := headline(pins):
        return result._replace(outcome="escaped", evidence=lost)
    if result.outcome == "escaped":
        # By what was tried inside alone.
        return result._replace(evidence=f"{LOST}: {result.evidence}")
    unseen = [pin.name for pin in not_checked(pins) if pin.is_read_only]
    if unseen and result.outcome == "held":
        names = ", ".join(f"`{name}`" for name in unseen[:3])
        why = f"whether {names} still is pinned in the sandbox in use cannot be seen from here"
        return result._replace(outcome="inconclusive", evidence=why)
    return result


def _is_lost(result: Result) -> bool:
    return result.id == ATTEMPT and result.outcome == "escaped"

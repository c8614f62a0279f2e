"""The result of the last comparison of a kept copy, for `status` and `review`: a file of ours that no sandbox sees."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.sync.flows import asides
from sandboxd.sync.place import Place
from sandboxd.sync.run import Report, Rest
from sandboxd.sync.state import Snapshot
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason

_MOST = 200
_BEGIN_ANEW = "; `sandboxd down --discard`, then `sandboxd up`, begin with it as it is now"
_NESTED = "a repository in the folder: its commits stay where they were made"
_SIDES = {Side.HOST: "your folder", Side.INSIDE: "the copy inside"}


class Named(NamedTuple):
    """Paths, the first of them with a text each, and how many there are."""

    paths: tuple[tuple[str, str], ...] = ()
    total: int = 0


class LastState(NamedTuple):
    """What a comparison ended with; paths are hostile text.

    `at` is in seconds since 1970, `problem` the reason why both sides are not the same, '' for none. `removals` are the
    files that are removed on the host after the user's answer, `stays` those that differ and stay so, with the reason,
    `conflicts` the versions of the sandbox that were kept next to the host's, `only_inside` what git ignores there, and
    nested repositories.
    """

    container: str
    at: float
    problem: str = ""
    removals: Named = Named()
    stays: Named = Named()
    conflicts: Named = Named()
    only_inside: Named = Named()


def of_report(container: str, report: Report) -> LastState:
    """The state that a comparison with the container ended with."""
    stop, inside = report.last.stop, report.inside
    entries = inside.entries if inside is not None else {}
    return LastState(
        container,
        time.time(),
        problem_of(report),
        _named((path, "") for path in sorted(stop.files)) if stop is not None else Named(),
        _named(report.last.stays),
        _named((path, "") for path in asides(entries)),
        _named((path, _why_apart(path)) for path in never_copied(inside))
        if inside is not None
        else Named(),
    )


def never_copied(inside: Snapshot) -> list[str]:
    """The paths inside that the policy excludes, but for `.git` at the top, whose commits pass by themselves."""
    return sorted(inside.excluded - {".git"})


def _why_apart(path: str) -> str:
    return _NESTED if path.endswith("/.git") else ""


def problem_of(report: Report) -> str:
    """Why both sides are not the same after a comparison, '' where they are."""
    if report.rest is Rest.STOPPED and report.last.stop is not None:
        stop = report.last.stop
        again = _BEGIN_ANEW if stop.reason is Reason.REPLACED else ""
        more = f", after {stop.earlier} that went a few at a time" if stop.earlier else ""
        return f"{_SIDES[stop.side]}: {stop.reason.value}{more}{again}"
    if report.rest is Rest.HELD_UP and report.skips:
        skip = report.skips[0]
        more = f", and {len(report.skips) - 1} more" if len(report.skips) > 1 else ""
        return f"`{skip.step.path}`: {skip.why}{more}"
    return "" if report.rest is Rest.SAME else report.rest.value


def write(place: Place, state: LastState) -> None:
    """Save `state`.

    :raises OSError: its folder cannot be created
    :raises EnvironmentFailure: it cannot be written
    """
    write_private(place.state, json.dumps(state._asdict()).encode(), synced=False)


def read(place: Place) -> LastState | None:
    """The state of a sandbox; None if there is none, or one that cannot be read."""
    try:
        record = json.loads(read_source(place.state).text)
        named = {name: _read_named(record[name]) for name in _NAMED}
        return LastState(
            str(record["container"]), float(record["at"]), str(record["problem"]), **named
        )
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None


_NAMED = ("removals", "stays", "conflicts", "only_inside")


def _named(paths: Iterable[tuple[str, str]]) -> Named:
    every = list(paths)
    return Named(tuple((path, text) for path, text in every[:_MOST]), len(every))


def _read_named(value: Any) -> Named:
    paths, total = value
    return Named(tuple((str(path), str(text)) for path, text in paths), int(total))

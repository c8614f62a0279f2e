"""The sessions of agents on a project, a row each: what runs comes first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd import screen, terminal
from sandboxd.cli.agent_work import MOST_COMMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.agents.run import State

_ORDER: tuple[State, ...] = ("at work", "interrupted", "ended", "not started")
_LONGEST_NAME, _LONGEST_AGENT = 14, 12
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_COLOURS: dict[str, str] = {"at work": terminal.GREEN, "interrupted": terminal.YELLOW}


class Row(NamedTuple):
    """One line of the table of sessions: a session and its state at this moment."""

    name: str
    agent: str
    state: State
    """The state of the agent, not of its sandbox."""
    since: float | None
    """When the agent began, or ended, in seconds since 1970; None where it never did."""
    files: int | None
    """Files that differ in its copy; None where nobody knows."""
    commits: int | None
    """Commits made there; None where nobody knows."""
    denied: int | None
    """Names that it was denied; None where nobody knows."""
    waiting: int | None
    """Its questions that wait for a person; None where nobody knows."""


def lines(rows: Iterable[Row], now: float) -> Iterator[str]:
    """The board: those at work first, then those that were interrupted, each kind with the latest first.

    :param now: seconds since 1970
    """
    ordered = sorted(rows, key=lambda row: (_ORDER.index(row.state), -(row.since or 0.0), row.name))
    heads = ("SESSION", "AGENT", "STATE", "SINCE", "FILES", "COMMITS", "DENIED", "ASKS")
    table = [heads, *(_cells(row, now) for row in ordered)]
    widths = [max(map(screen.columns_of, column)) for column in zip(*table, strict=True)]
    for number, cells in enumerate(table):
        padded = [c + " " * (w - screen.columns_of(c)) for c, w in zip(cells, widths, strict=True)]
        padded[2] = terminal.paint(padded[2], _COLOURS.get(cells[2], "") if number else "")
        yield "  ".join(padded).rstrip()


def _cells(row: Row, now: float) -> tuple[str, ...]:
    return (
        screen.cut(terminal.one_line(row.name), _LONGEST_NAME),
        screen.cut(terminal.one_line(row.agent), _LONGEST_AGENT),
        row.state,
        "-" if row.since is None else _span(max(now - row.since, 0.0)),
        _number(row.files),
        _number(row.commits) + ("+" if row.commits == MOST_COMMITS else ""),
        _number(row.denied),
        _number(row.waiting),
    )


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)


def _span(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

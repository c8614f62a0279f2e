"""A plan as a person reads it: each line of it with its reason, then what is not in force and what is left out."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from sandboxd import screen, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.plan.plan import Plan
    from sandboxd.plan.reasons import Reason

_FIELD = 14
"""The fewest columns of the names of fields."""

_ADMITTED = (
    ("data", "an allowed host can carry data out: to an account, a repository, a question"),
    (
        "fronting",
        "inside an encrypted connection a program can ask for another customer of the same content "
        "network; only who opens TLS could see it, and no gateway of sandboxd does",
    ),
)


def lines(plan: Plan, columns: int) -> Iterator[str]:
    """The whole screen, no line wider than `columns` unless a single word or command is."""
    yield from head(plan, columns)
    yield ""
    yield from _reasons(plan.reasons, columns)
    yield from _names(plan, columns)
    if plan.downgrades:
        yield terminal.paint("\nnot in force:", terminal.YELLOW, terminal.BOLD)
    for downgrade in plan.downgrades:
        yield from _entry(downgrade.control, downgrade.why, columns)
        if downgrade.fix:
            yield from _below("fix:", downgrade.fix, columns)
    if plan.hooks_refused:
        yield _heading("lifecycle hooks that `sandboxd up` does not run:")
    for entry in plan.hooks_refused:
        yield from _entry(entry.item, entry.why, columns)
    if plan.left_out:
        yield _heading("left out of your devcontainer.json:")
    for entry in plan.left_out:
        yield from _entry(entry.item, entry.why, columns)


def head(plan: Plan, columns: int) -> list[str]:
    """The project, its profile, and how much is not in force or left out."""
    name = f"{terminal.one_line(plan.workspace)}: profile {plan.profile}"
    counts = [
        f"{len(entries)} {words}"
        for entries, words in ((plan.downgrades, "not in force"), (plan.left_out, "left out"))
        if entries
    ]
    return screen.wrap(f"{name} · {', '.join(counts)}" if counts else name, columns)


def field_columns(reasons: Sequence[Reason]) -> int:
    """The columns of the names of fields, with the gap behind them."""
    return max([_FIELD, *(len(reason.field) + 2 for reason in reasons)])


def _reasons(reasons: Sequence[Reason], columns: int) -> Iterator[str]:
    """Lines of the plan with one reason are named together, and it is said once."""
    indent = field_columns(reasons)
    for (field, decided_by, why), group in groupby(
        reasons, key=lambda reason: (reason.field, reason.decided_by, reason.why)
    ):
        for number, reason in enumerate(group):
            label = "" if number else field
            first, *rest = screen.row(
                label, terminal.one_line(reason.item), columns, indent, whole=True
            )
            yield first[:indent] + terminal.paint(first[indent:], terminal.BOLD)
            yield from rest
        text = f"{terminal.one_line(decided_by)}: {terminal.one_line(why)}"
        yield from screen.row("", text, columns, 4, whole=True)


def _names(plan: Plan, columns: int) -> Iterator[str]:
    """Lines with what a gateway cannot know, and with the hosts that nothing allows yet."""
    if plan.egress is None:
        return
    if plan.egress.rules:
        yield _heading("what an allowed name admits:")
        for head, why in _ADMITTED:
            yield from _entry(head, why, columns)
    else:
        text = "no name is let through by the plan; `sandboxd egress list` has your answers as well"
        yield ""
        yield from screen.wrap(text, columns, whole=True)
    if plan.proposals:
        yield _heading("named by the project or your settings, and not allowed:")
    for proposal in plan.proposals:
        yield from _entry(f"{proposal.host}:{proposal.port}", f"in `{proposal.file}`", columns)
        line = terminal.one_line(proposal.line)
        text = f"`{line}` below `[network]`, then `sandboxd trust add`"
        yield from _below("to allow it:", text, columns)
        if proposal.variable:
            text = (
                f"`{proposal.variable}` below `[environment]`, with its address and without a login"
            )
            yield from _below("to use it:", text, columns)


def _heading(text: str) -> str:
    return terminal.paint(f"\n{text}", terminal.BOLD)


def _entry(head: str, why: str, columns: int) -> list[str]:
    text = f"{terminal.one_line(head)}: {terminal.one_line(why)}"
    return screen.row("  -", text, columns, 4, whole=True)


def _below(label: str, text: str, columns: int) -> list[str]:
    """The line with the next step for the entry above."""
    return screen.row(
        f"      {label}", terminal.one_line(text), columns, len(label) + 7, whole=True
    )

"""A plan in one screen: what each field is and who decided it, then what is not in force. Pure.

The reasons, and what mends a thing, are on the whole screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import screen, terminal
from sandboxd.render.screens.plan import field_columns, head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.plan.plan import Plan
    from sandboxd.plan.proposed_trees import Size
    from sandboxd.plan.reasons import Reason

MOST_LINES = 40
"""The most lines that the whole screen has."""

_MOST_LOST, _MOST_OTHERS = 6, 3
"""Lines of the list of what is not in force, and of each other list."""
_WHOLE = "`sandboxd explain-plan --all` says why of each line, and what mends what is not in force"


def lines(plan: Plan, slow: Sequence[Size], columns: int) -> list[str]:
    """At most `MOST_LINES` lines of at most `columns` columns, the last of which names the whole screen.

    :param slow: folders that would be faster in memory
    """
    below = [*_lists(plan, slow, columns), "", *screen.wrap(_WHOLE, columns, whole=True)]
    above = [*head(plan, columns), ""]
    rows = list(_rows(plan.reasons, columns))
    room = MOST_LINES - len(above) - len(below)
    if len(rows) > room:
        left = len(rows) - room + 1
        indent = " " * field_columns(plan.reasons)
        rows = [*rows[: room - 1], f"{indent}and {terminal.count(left, 'more field')}"]
    return [*above, *rows, *below]


def _rows(reasons: Sequence[Reason], columns: int) -> Iterator[str]:
    """A line a field, or one for each of those that decided a part of it."""
    indent = field_columns(reasons)
    items: dict[tuple[str, str], list[str]] = {}
    for reason in reasons:
        names = items.setdefault((reason.field, reason.decided_by), [])
        names.append(terminal.one_line(reason.item))
    deciders = {decided_by: terminal.one_line(decided_by) for _, decided_by in items}
    widest = max(map(screen.columns_of, deciders.values()), default=0)
    room = max(columns - indent - min(widest, columns // 4) - 2, 20)
    for (field, decided_by), names in items.items():
        # A name tells more than a sentence, of which only the beginning has room.
        shown = _list(sorted(names, key=lambda name: " " in name), room)
        gap = " " * (room - screen.columns_of(shown))
        by = screen.cut(deciders[decided_by], columns - indent - room - 2)
        yield f"{field:<{indent}}{terminal.paint(shown, terminal.BOLD)}{gap}  {by}"


def _list(names: Sequence[str], room: int) -> str:
    """The first of `names` that have room, and how many more there are."""
    for number in range(len(names), 0, -1):
        left = len(names) - number
        text = ", ".join(names[:number]) + (f", {left} more" if left else "")
        if screen.columns_of(text) <= room:
            return text
    more = f", {len(names) - 1} more" if len(names) > 1 else ""
    return screen.cut(names[0], max(room - len(more), 10)) + more


def _lists(plan: Plan, slow: Sequence[Size], columns: int) -> Iterator[str]:
    lost = [(each.control, each.why) for each in plan.downgrades]
    hooks = [(each.item, each.why) for each in plan.hooks_refused]
    left_out = [(each.item, each.why) for each in plan.left_out]
    names = [(f"{each.host}:{each.port}", f"in `{each.file}`") for each in plan.proposals]
    trees = [(f"`{each.path}`", f"{each.files:,} files") for each in slow]
    if lost:
        yield ""
        yield terminal.paint("not in force:", terminal.YELLOW, terminal.BOLD)
        yield from _entries(lost, _MOST_LOST, columns)
    for heading, entries in (
        ("lifecycle hooks that `sandboxd up` does not run:", hooks),
        ("left out of your devcontainer.json:", left_out),
        ("named by the project or your settings, and not allowed:", names),
        ("slow under gVisor, and faster in memory:", trees),
    ):
        if entries:
            yield ""
            yield terminal.paint(heading, terminal.BOLD)
            yield from _entries(entries, _MOST_OTHERS, columns)


def _entries(entries: Sequence[tuple[str, str]], most: int, columns: int) -> Iterator[str]:
    """`most` lines at most: an entry a line, and the number of those that have no room."""
    shown = entries if len(entries) <= most else entries[: most - 1]
    for name, why in shown:
        text = f"{terminal.one_line(name)}: {terminal.one_line(why)}"
        yield f"  - {screen.cut(text, columns - 4)}"
    if left := len(entries) - len(shown):
        yield f"  and {left} more"

"""What the tree says without running: rooms, floors, circles, rows of exceptions, modules, lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.contract.import_table import MAY_IMPORT
from tests.contract.imports import imported_modules, room_of


class Structure(NamedTuple):
    """Counts of one tree."""

    rooms: int
    """Folders below the package."""
    floors: int
    """Rows of the import table on the longest way down by imports; a circle of rows is one."""
    circles: int
    """Groups of modules of which each reaches each by imports, those for type checkers included."""
    exceptions: int
    """Rows of the import table for a part of a room."""
    modules: int
    lines: int


def measure(sources: Mapping[str, str]) -> Structure:
    """The counts for `sources`, the modules by name without the package's."""
    return Structure(
        len({name.partition(".")[0] for name in sources if "." in name}),
        max(floors(sources).values()) + 1,
        sum(len(group) > 1 for group in groups(graph(sources, str))),
        sum("." in row for row in MAY_IMPORT),
        len(sources),
        sum(len(source.splitlines()) for source in sources.values()),
    )


def floors(sources: Mapping[str, str]) -> dict[str, int]:
    """Row of the import table -> how many others stand below it; 0 for one that imports none."""
    edges = graph(sources, room_of)
    floor: dict[str, int] = {}
    for group in groups(edges):
        below = {target for row in group for target in edges[row]} - set(group)
        floor |= dict.fromkeys(group, 1 + max((floor[row] for row in below), default=-1))
    return floor


def graph(sources: Mapping[str, str], key: Callable[[str], str]) -> dict[str, set[str]]:
    """What imports what, by `key` of the modules' names; nothing imports itself."""
    known = frozenset(sources)
    edges: dict[str, set[str]] = {key(module): set() for module in sources}
    for module, source in sources.items():
        targets = {key(target) for target in imported_modules(module, source, known)}
        edges[key(module)] |= targets - {key(module)}
    return edges


def groups(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The nodes, together where each reaches each; a group comes behind all that it reaches (Tarjan)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    done: set[str] = set()
    together: list[list[str]] = []
    for start in sorted(edges):
        if start in number:
            continue
        way = [(start, iter(sorted(edges[start])))]
        number[start] = lowest[start] = len(number)
        stack.append(start)
        while way:
            node, targets = way[-1]
            for target in targets:
                if target not in number:
                    number[target] = lowest[target] = len(number)
                    stack.append(target)
                    way.append((target, iter(sorted(edges[target]))))
                    break
                if target not in done:
                    lowest[node] = min(lowest[node], number[target])
            else:
                way.pop()
                if way:
                    lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    group = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    done.update(group)
                    together.append(group)
    return together

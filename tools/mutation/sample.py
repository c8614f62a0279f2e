"""Draw a sample of changes: every room has its share, and a third are items of lists."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tools.mutation.points import Point, parses, points

LIST_SHARE = 3
"""One of so many changes leaves out an item of a list."""

# Made from the rules, and compared with them by a test.
GENERATED = ("sandboxd/rules/_index.py",)


def room(path: str) -> str:
    """The folder of the package that a module is in, `sandboxd` for those directly in it."""
    parts = Path(path).parts
    return parts[1] if len(parts) > 2 else "sandboxd"


def every_point(root: Path) -> list[Point]:
    """All points of the package."""
    paths = sorted(str(path.relative_to(root)) for path in (root / "sandboxd").rglob("*.py"))
    return [point for path in paths if path not in GENERATED for point in points(root, path)]


def draw(root: Path, count: int, seed: int, only: str = "") -> list[Point]:
    """`count` points; the same for the same code and seed. `only` names a room."""
    chance = random.Random(seed)
    wanted = [point for point in every_point(root) if only in ("", room(point.path))]
    lists = [point for point in wanted if point.kind == "list item"]
    others = [point for point in wanted if point.kind != "list item"]
    drawn = _from_rooms(root, lists, count // LIST_SHARE, chance)
    drawn += _from_rooms(root, others, count - len(drawn), chance)
    chance.shuffle(drawn)
    return drawn


def _from_rooms(
    root: Path, candidates: Sequence[Point], count: int, chance: random.Random
) -> list[Point]:
    """One of each room in turn, until there are enough; in a room each module is as likely."""
    rooms: dict[str, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for point in candidates:
        rooms[room(point.path)][point.path].append(point)
    drawn: list[Point] = []
    while len(drawn) < count and rooms:
        for name in chance.sample(sorted(rooms), len(rooms)):
            if len(drawn) == count:
                break
            path = chance.choice(sorted(rooms[name]))
            left = rooms[name][path]
            point = left.pop(chance.randrange(len(left)))
            if parses(root, point):
                drawn.append(point)
            if not left:
                del rooms[name][path]
            if not rooms[name]:
                del rooms[name]
    return drawn

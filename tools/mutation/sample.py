"""Draw a sample of changes: every room has its share, and a third are items of lists."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
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
    """`count` points; `only` names a room.

    Each point has a place in the seed's order by what it says: where the code changes, the sample
    changes there and stays the same elsewhere.
    """
    wanted = [point for point in every_point(root) if only in ("", room(point.path))]
    lists = [point for point in wanted if point.kind == "list item"]
    others = [point for point in wanted if point.kind != "list item"]
    drawn = _from_rooms(root, lists, count // LIST_SHARE, seed)
    drawn += _from_rooms(root, others, count - len(drawn), seed)
    return sorted(drawn, key=lambda point: _place(seed, point.title))


def _from_rooms(root: Path, candidates: Sequence[Point], count: int, seed: int) -> list[Point]:
    """One of each room in turn, until there are enough; in a room each module is as likely."""
    rooms: dict[str, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for point in candidates:
        rooms[room(point.path)][point.path].append(point)
    queues = [
        _one_of_each(
            [
                sorted(of_file, key=lambda point: _place(seed, point.title))
                for _, of_file in sorted(files.items(), key=lambda item: _place(seed, item[0]))
            ]
        )
        for _, files in sorted(rooms.items(), key=lambda item: _place(seed, item[0]))
    ]
    in_turn = _one_of_each([list(queue) for queue in queues])
    return list(islice((point for point in in_turn if parses(root, point)), count))


def _one_of_each(rows: Sequence[Sequence[Point]]) -> Iterator[Point]:
    """The first of each row, then the second of each that has one, to the end."""
    for at in range(max(map(len, rows), default=0)):
        yield from (row[at] for row in rows if at < len(row))


def _place(seed: int, words: str) -> bytes:
    return hashlib.sha256(f"{seed} {words}".encode()).digest()

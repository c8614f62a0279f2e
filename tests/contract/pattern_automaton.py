"""A regular expression as an automaton whose places are the characters in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from tests.contract.pattern_characters import alphabet, first_of_rounds, mask, one_character

BOUNDED = 400
"""The most repetitions that count as a factor, not as growth."""


class Point(NamedTuple):
    """What has to hold between two characters: masks of the one before and the one after."""

    before: int
    after: int
    words: frozenset[bool] = frozenset()
    """What is asked of the edge of a word here: True for `\\b`, False for `\\B`."""
    end: bool = True
    """Whether it may hold at the end of the text."""
    exact: bool = True
    """Whether the character after, or the end of the text, is all that is asked."""

    def together(self, other: Point) -> Point:
        """What both ask."""
        return Point(
            self.before & other.before,
            self.after & other.after,
            self.words | other.words,
            self.end and other.end,
            self.exact and other.exact,
        )


class Edge(NamedTuple):
    """One way from a place to the next."""

    point: Point
    closes: frozenset[int]
    """The possessive repetitions that go round by it: they give back nothing of a round that ended."""


class _Part(NamedTuple):
    """A part of a pattern: how it begins, how it ends, and how it is passed without a character."""

    first: list[tuple[Point, int]]
    last: list[tuple[int, Point]]
    empty: list[Point]


class Automaton:
    """The places of a pattern, by their number, and the ways between them."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        tree = _parser.parse(pattern, flags)
        self.characters = alphabet(tree, isinstance(pattern, bytes))
        self.all = (1 << len(self.characters)) - 1
        self.free = Point(self.all, self.all)
        self.sets: list[int] = []
        """The characters that each place reads."""
        self.edges: dict[tuple[int, int], list[Edge]] = {}
        self.atoms: list[frozenset[int]] = []
        """The atomic groups, possessive repetitions among them, that each place is in."""
        self.leaves: dict[int, list[tuple[int, Point]]] = {}
        """How each atomic group ends."""
        self.side: set[int] = set()
        """Places in a lookahead: the match goes on where it began."""
        self._groups: dict[int, tuple[list[Any], int]] = {}
        self._inside: tuple[int, ...] = ()
        self._looks = 0
        self._closes: frozenset[int] = frozenset()
        self.word = mask([(codes.CATEGORY, codes.CATEGORY_WORD)], tree.state.flags, self.characters)
        part = self._sequence(list(tree), tree.state.flags)
        self.first, self.last = part.first, part.last

    def _sequence(self, items: list[Any], flags: int) -> _Part:
        part = _Part([], [], [self.free])
        for item in items:
            part = self._join(part, self._item(item, flags))
        return part

    def _join(self, one: _Part, two: _Part) -> _Part:
        self._connect(one.last, two.first)
        first = [
            (empty.together(point), place) for empty in one.empty for point, place in two.first
        ]
        last = [(place, point.together(empty)) for empty in two.empty for place, point in one.last]
        empties = {a.together(b) for a in one.empty for b in two.empty}
        return _Part(one.first + first, two.last + last, list(empties))

    def _connect(self, last: list[tuple[int, Point]], first: list[tuple[Point, int]]) -> None:
        for end, after in last:
            for before, start in first:
                point = after.together(before)
                if self.sets[end] & point.before and self.sets[start] & point.after:
                    self.edges.setdefault((end, start), []).append(Edge(point, self._closes))

    def _item(self, item: Any, flags: int) -> _Part:
        code, value = item
        if code is codes.SUBPATTERN:
            group, added, removed, inner = value
            own = (flags | added) & ~removed
            self._groups[-1 if group is None else group] = (list(inner), own)
            return self._sequence(list(inner), own)
        if code is codes.BRANCH:
            return _either([self._sequence(list(each), flags) for each in value[1]])
        if code is codes.GROUPREF_EXISTS:
            return _either([self._sequence(list(each or ()), flags) for each in value[1:]])
        if code is codes.GROUPREF:
            return self._sequence(*self._groups[value])
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            return self._repeat(value, flags, is_possessive=False)
        if code is codes.POSSESSIVE_REPEAT:
            return self._possessive(value, flags)
        if code is codes.ATOMIC_GROUP:
            inner = list(value)
            if len(inner) == 1 and inner[0][0] is codes.MAX_REPEAT:
                return self._possessive(inner[0][1], flags)
            return self._atomic(lambda: self._sequence(inner, flags))
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            return self._look(value[0] > 0, code is codes.ASSERT, list(value[1]), flags)
        if code is codes.AT:
            return _Part([], [], [self._anchor(value, flags)])
        own_set = one_character([item])
        assert own_set is not None, item
        return self._place(mask(own_set, flags, self.characters))

    def _place(self, characters: int) -> _Part:
        place = len(self.sets)
        self.sets.append(characters)
        self.atoms.append(frozenset(self._inside))
        if self._looks:
            self.side.add(place)
        return _Part([(self.free, place)], [(place, self.free)], [])

    def _repeat(self, value: Any, flags: int, *, is_possessive: bool) -> _Part:
        low, high, inner = value
        items = list(inner)
        if high == 0:
            return _Part([], [], [self.free])
        part = self._sequence(items, flags)
        if high is codes.MAXREPEAT or high > BOUNDED:
            before = self._closes
            self._closes = frozenset(self._inside[-1:] if is_possessive else ())
            self._connect(part.last, part.first)
            self._closes = before
        elif high > 1:
            # Two rounds stand for all: what repeats with a bound is no loop.
            second = self._sequence(items, flags)
            part = self._join(part, second if low == high else self._or_nothing(second))
        return self._or_nothing(part) if low == 0 else part

    def _or_nothing(self, part: _Part) -> _Part:
        return part._replace(empty=[*{*part.empty, self.free}])

    def _possessive(self, value: Any, flags: int) -> _Part:
        part = self._atomic(lambda: self._repeat(value, flags, is_possessive=True))
        sure = first_of_rounds(list(value[2]), lambda own: mask(own, flags, self.characters))
        left = self.free._replace(after=self.all & ~sure)
        last = part.last
        if value[1] is codes.MAXREPEAT:
            last = [(place, point.together(left)) for place, point in last]
        return _Part(part.first, last, [point.together(left) for point in part.empty])

    def _atomic(self, build: Callable[[], _Part]) -> _Part:
        before = self._inside
        own = len(self.leaves)
        self.leaves[own] = []
        self._inside = (*before, own)
        part = build()
        self._inside = before
        self.leaves[own] = list(part.last)
        return part

    def _look(self, ahead: bool, positive: bool, items: list[Any], flags: int) -> _Part:
        one = one_character(items)
        if one is not None:
            own = mask(one, flags, self.characters)
            own = own if positive else self.all & ~own
            ends = not positive or not ahead
            point = Point(
                self.all if ahead else own, own if ahead else self.all, end=ends, exact=ahead
            )
            return _Part([], [], [point])
        inexact = self.free._replace(exact=False)
        if not ahead:
            return _Part([], [], [inexact])
        self._looks += 1
        part = self._sequence(items, flags)
        self._looks -= 1
        return _Part(part.first, [], [inexact])

    def _anchor(self, value: Any, flags: int) -> Point:
        of_lines = flags & re.MULTILINE and value in (codes.AT_BEGINNING, codes.AT_END)
        line_end = mask([(codes.LITERAL, 10)], 0, self.characters) if of_lines else 0
        if value in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
            return Point(line_end, self.all, exact=False)
        if value in (codes.AT_END, codes.AT_END_STRING):
            return Point(self.all, line_end)
        return self.free._replace(words=frozenset([value is codes.AT_BOUNDARY]), exact=False)


def _either(parts: list[_Part]) -> _Part:
    return _Part(
        [each for part in parts for each in part.first],
        [each for part in parts for each in part.last],
        list({each for part in parts for each in part.empty}),
    )

"""The steps of an automaton by letters: groups of characters that no part of the pattern tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.contract.pattern_automaton import Automaton, Point

SEARCH = -1
"""The place of a search that has not begun to match: it stays there with any letter."""


class Step(NamedTuple):
    """One way from a place to the next."""

    place: int
    point: Point
    closes: frozenset[int]


class Limits(NamedTuple):
    """The ways that a reader may go."""

    within: frozenset[int] | None = None
    """The places; None for all."""
    closed: frozenset[int] = frozenset()
    """Possessive repetitions that it may not go round: a round that ended is not given back."""
    is_unsettled: bool = False
    """Whether it may pass no place where a match ends: whatever follows, that match is not given back."""


class Letters:
    """The places and steps of a pattern, with letters in place of characters.

    :param is_whole: whether a match has to end with the text
    """

    def __init__(self, automaton: Automaton, is_whole: bool) -> None:
        self.automaton = automaton
        self._words = automaton.word
        self.letters = self._classes(automaton)
        self.every = frozenset(range(len(self.letters)))
        self.sets = [self._reduced(characters) for characters in automaton.sets]
        self.steps: list[list[Step]] = [[] for _ in automaton.sets]
        for (end, start), edges in automaton.edges.items():
            self.steps[end] += [Step(start, edge.point, edge.closes) for edge in edges]
        self.starts = [Step(place, point, frozenset()) for point, place in automaton.first]
        self.bound = {at for at, steps in enumerate(self.steps) if self._ask_before(steps)}
        """Places behind which it counts which letter was read there."""
        if self._ask_before(self.starts):
            self.bound.add(SEARCH)
        at_end = automaton.free._replace(after=0) if is_whole else automaton.free
        accepts = [(place, point.together(at_end)) for place, point in automaton.last]
        self.settled = self._settled(accepts)
        """By its place: the letters before which a match ends, or surely goes on to an end."""
        self.settled_of = {atom: self._settled(each) for atom, each in automaton.leaves.items()}

    def _classes(self, automaton: Automaton) -> list[int]:
        """One character of each letter, as its number in the alphabet."""
        points = [edge.point for edges in automaton.edges.values() for edge in edges]
        points += [point for point, _ in automaton.first]
        points += [
            point for each in (automaton.last, *automaton.leaves.values()) for _, point in each
        ]
        masks = {*automaton.sets, automaton.word}
        masks |= {part for point in points for part in (point.before, point.after)}
        ordered = sorted(masks)
        # Characters that can be read in a report come first.
        numbers = sorted(range(len(automaton.characters)), key=lambda at: not 33 <= at < 127)
        found: dict[tuple[int, ...], int] = {}
        for at in numbers:
            found.setdefault(tuple(part >> at & 1 for part in ordered), at)
        return list(found.values())

    def _reduced(self, characters: int) -> frozenset[int]:
        return frozenset(at for at, number in enumerate(self.letters) if characters >> number & 1)

    def _ask_before(self, steps: Iterable[Step]) -> bool:
        everything = self.automaton.all
        return any(step.point.before != everything or step.point.words for step in steps)

    def _settled(self, accepts: list[tuple[int, Point]]) -> list[frozenset[int]]:
        """By its place: the letters before which one of `accepts` holds, or that lead where one surely will."""
        own: list[frozenset[int]] = [frozenset() for _ in self.steps]
        total = set()
        for place, point in accepts:
            if point.exact:
                own[place] |= self._reduced(point.after)
                if point.end:
                    total.add(place)
        while True:
            settled = [self._with_steps(at, letters, total) for at, letters in enumerate(own)]
            left = {place for place in total if settled[place] == self.every}
            if left == total:
                return settled
            total = left

    def _with_steps(self, place: int, letters: frozenset[int], total: set[int]) -> frozenset[int]:
        for step in self.steps[place]:
            if step.point.exact and step.place in total:
                letters |= self._reduced(step.point.after) & self.sets[step.place]
        return letters

    def moves(
        self, place: int, letter: int, limits: Limits
    ) -> Iterator[tuple[int, frozenset[int]]]:
        """The places to which a reader may go, each with the letters that lead there.

        :param letter: the last one that was read
        """
        if place == SEARCH:
            yield SEARCH, self.every
        for step in self.starts if place == SEARCH else self.steps[place]:
            if limits.within is not None and step.place not in limits.within:
                continue
            letters = self._allowed(step, letter)
            if limits.is_unsettled and place not in self.automaton.side:
                letters -= self.settled[place]
            if letters and not step.closes & limits.closed:
                yield step.place, letters

    def _allowed(self, step: Step, letter: int) -> frozenset[int]:
        """The letters that a step may read behind `letter`."""
        number, point = self.letters[letter], step.point
        if not point.before >> number & 1:
            return frozenset()
        after = point.after
        for is_edge in point.words:
            is_word = self._words >> number & 1
            after &= ~self._words if bool(is_word) == is_edge else self._words
        return self._reduced(after) & self.sets[step.place]

    def text(self, letters: Iterable[int]) -> str:
        """A text of these letters."""
        return "".join(self.automaton.characters[self.letters[letter]] for letter in letters)

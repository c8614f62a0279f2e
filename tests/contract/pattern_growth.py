"""Whether a regular expression may cost more than in proportion to its text: told from its parse tree.

Its cost grows faster where one text can be read in more ways the longer it is. There is such a text where it leads from
a place `p` back to `p`, from `p` to a place `q`, and from `q` back to `q`: each repetition is a further one at which to
change from `p` to `q`. The start of a search, which is tried at each character, is such a `p`. And there is one, whose
cost doubles with each repetition, where it leads from a place back to it in two ways. A way that a match cannot give
back does not count. What cannot be told counts as growth.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from tests.contract.pattern_automaton import Automaton
from tests.contract.pattern_letters import SEARCH, Letters, Limits

_MOST = 60_000
"""States that are looked at for one text; no pattern of ours needs a tenth."""
_NOT_TOLD = "too many states to tell"


class Growth(NamedTuple):
    """A text that costs more than in proportion to its length, as often as `repeated` is in it behind `before`."""

    before: str
    repeated: str


def find_growth(
    pattern: str | bytes, flags: int = 0, *, is_search: bool = True, is_whole: bool = False
) -> Growth | None:
    """The text for which the cost of a pattern grows faster than the text; None if there is none.

    :param is_search: whether each place of a text is tried (`search`, `sub`, `finditer`, `split`)
    :param is_whole: whether a match has to end with the text (`fullmatch`)
    """
    letters = Letters(Automaton(pattern, flags), is_whole)
    loops = _loops(letters)
    found = _doubled(letters, loops) or _paired(letters, loops)
    return found or (_searched(letters, loops) if is_search else None)


def _searched(letters: Letters, loops: list[frozenset[int]]) -> Growth | None:
    """A text at whose every repetition a search begins that goes on over the rest."""
    for loop in loops:
        for q in loop:
            limits = (Limits(), Limits(loop, is_unsettled=True))
            found = _lead(letters, (SEARCH, q), (q, q), limits)
            if found is not None:
                return Growth("", found)
    return None


def _paired(letters: Letters, loops: list[frozenset[int]]) -> Growth | None:
    """A text that two loops of a match may share out between them in many ways."""
    atoms = letters.automaton.atoms
    for ps, qs in itertools.product(loops, loops):
        between = _between(letters, ps, qs)
        # Where an atomic group is left, its other ways are forgotten.
        around = frozenset.intersection(*(atoms[p] for p in ps))
        for p, q in itertools.product(ps, qs) if between else ():
            if p == q or around - atoms[q] or _is_kept(letters, p, q):
                continue
            last = Limits(qs, atoms[p] & atoms[q], is_unsettled=True)
            found = _lead(letters, (p, p, q), (p, q, q), (Limits(ps), Limits(between), last))
            if found is not None:
                return Growth(_way_to(letters, p), found)
    return None


def _is_kept(letters: Letters, p: int, q: int) -> bool:
    """Whether an atomic group around both surely ends once `q` is reached, and then keeps the one way."""
    around = letters.automaton.atoms[p] & letters.automaton.atoms[q]
    return any(letters.settled_of[atom][q] == letters.every for atom in around)


def _doubled(letters: Letters, loops: list[frozenset[int]]) -> Growth | None:
    """A text that leads from a place back to it in two ways."""
    atoms = letters.automaton.atoms
    for loop in loops:
        for place in loop:
            if _is_kept(letters, place, place):
                continue
            limits = Limits(loop, atoms[place], is_unsettled=True)
            found = _lead(letters, (place, place), (place, place), (limits, limits), parts=True)
            if found is not None:
                return Growth(_way_to(letters, place), found)
    return None


class _State(NamedTuple):
    places: tuple[int, ...]
    letter: int
    """The last one that was read; 0 where it does not count which."""
    are_parted: bool = False
    """Whether the readers went different ways."""


def _lead(
    letters: Letters,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    limits: tuple[Limits, ...],
    *,
    parts: bool = False,
) -> str | None:
    """The text that leads several readers from `begin` to `end` at once, and may be repeated.

    :param parts: whether they have to go different ways
    """
    sets = [letters.sets[place] for place in begin if place != SEARCH]
    firsts = sorted(frozenset.intersection(*sets))
    is_bound = not letters.bound.isdisjoint(begin)
    for first in firsts if is_bound else firsts[:1] and [0]:
        start = _State(begin, first)
        came: dict[_State, tuple[_State, int]] = {}
        work = deque([start])
        seen = {start}
        while work:
            state = work.popleft()
            for after, letter in _next(letters, state, limits, end if is_bound else ()):
                after = after if parts else after._replace(are_parted=False)
                if after == _State(end, first, parts):
                    return letters.text([*_letters_to(came, state), letter])
                if after not in seen:
                    seen.add(after)
                    came[after] = (state, letter)
                    work.append(after)
            if len(seen) > _MOST:
                return _NOT_TOLD
    return None


def _letters_to(came: dict[_State, tuple[_State, int]], state: _State) -> list[int]:
    result = []
    while state in came:
        state, letter = came[state]
        result.append(letter)
    return result[::-1]


def _next(
    letters: Letters, state: _State, limits: tuple[Limits, ...], counts: tuple[int, ...]
) -> Iterator[tuple[_State, int]]:
    """The states behind one letter, each with that letter.

    :param counts: places behind which it counts which letter was read
    """
    moves = [
        list(letters.moves(place, state.letter, each))
        for place, each in zip(state.places, limits, strict=True)
    ]
    for chosen in itertools.product(*(enumerate(each) for each in moves)):
        shared = functools.reduce(frozenset.__and__, (move[1] for _, move in chosen))
        if not shared:
            continue
        places = tuple(move[0] for _, move in chosen)
        # Two steps between the same places are two ways.
        are_parted = state.are_parted or len({number for number, _ in chosen}) > 1
        is_bound = places == counts or not letters.bound.isdisjoint(places)
        for letter in shared if is_bound else (min(shared),):
            yield _State(places, letter if is_bound else 0, are_parted), letter


def _loops(letters: Letters) -> list[frozenset[int]]:
    """The places that lead to each other, by the loop that they are in."""
    count = len(letters.steps)
    forward = [_reach(letters, at) for at in range(count)]
    loops = {
        frozenset(other for other in forward[at] if at in forward[other])
        for at in range(count)
        if at in forward[at]
    }
    return sorted(loops, key=sorted)


def _reach(letters: Letters, place: int) -> frozenset[int]:
    """The places to which one or more steps lead from `place`."""
    seen: set[int] = set()
    work = [place]
    while work:
        for step in letters.steps[work.pop()]:
            if step.place not in seen:
                seen.add(step.place)
                work.append(step.place)
    return frozenset(seen)


def _between(letters: Letters, ps: frozenset[int], qs: frozenset[int]) -> frozenset[int]:
    """The places on the ways from one loop to another, those of both among them; none where no way leads there."""
    after = _reach(letters, min(ps))
    return frozenset(at for at in after if qs & _reach(letters, at)) if qs & after else frozenset()


def _way_to(letters: Letters, place: int) -> str:
    """A text that leads to a place from the start of a match."""
    texts = {step.place: [min(letters.sets[step.place])] for step in letters.starts}
    work = deque(texts)
    while place not in texts and work:
        at = work.popleft()
        for after, allowed in letters.moves(at, texts[at][-1], Limits()):
            if after not in texts:
                texts[after] = [*texts[at], min(allowed)]
                work.append(after)
    return letters.text(texts.get(place, ()))

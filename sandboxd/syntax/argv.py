"""Parses the words of a `docker run` command line as docker's own flag parser (pflag) does.

``--flag=value``, ``--flag value``, ``-v x``, ``-vx``, ``-u=0``, bundled booleans (``-it``), and ``--`` as the
end of the flags. The first word that is neither a flag nor a flag's value is the image; whatever follows it
is the image's own command line, flags or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.docker_run_flags import ALIASES, BOOLEAN, BOOLEANS, SHORT, WITH_VALUE
from sandboxd.syntax.node import Node, Problem, readable
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_SUGGESTED = 20


class Flag(NamedTuple):
    """One occurrence of a flag; a flag that is given twice is in the list twice.

    `name` is the long name without dashes, also for short and older spellings (``-v`` is ``volume``, ``--net`` is
    ``network``). `value` is None if a value is needed but was not given. For booleans it is "true" or "false", or the
    written text if that is neither (a variable, a typing error). `nodes` are the one or two words it was read from;
    bundled booleans share one. `value_span` covers the value's characters as written, without quotes; for a boolean
    without value it covers the word; if escapes in the string make the place unclear, it covers the whole string.
    """

    name: str
    value: str | None
    nodes: tuple[Node, ...]
    value_span: Span

    def is_on(self) -> bool:
        """Whether this is a boolean flag that is switched on."""
        return self.name in BOOLEAN and self.value == "true"


class Arguments(NamedTuple):
    """A `docker run` command line. `image` is None if no image is given; `rest` is the command to run in the image."""

    flags: tuple[Flag, ...]
    image: Node | None
    rest: tuple[Node, ...]
    problems: tuple[Problem, ...]

    def last(self, name: str) -> Flag | None:
        """The last flag of this name, which is the one that takes effect for flags with a single value; None if there
        is none.
        """
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def all(self, name: str) -> tuple[Flag, ...]:
        return tuple(flag for flag in self.flags if flag.name == name)


def parse(items: Sequence[Node]) -> Arguments:
    """Parse `items`, the words after `docker run`. Never raises.

    Words beyond the first `MOST_WORDS` are not read, which is a problem in the result.
    """
    arguments = _Parser(items[:MOST_WORDS]).run()
    if len(items) <= MOST_WORDS:
        return arguments
    message = f"more than {MOST_WORDS:,} words: the rest is not read"
    return arguments._replace(
        problems=(*arguments.problems, Problem(items[MOST_WORDS].span, message))
    )


# Far beyond what anybody writes, and little enough to be judged in a second.
MOST_WORDS = 20_000


class _Parser:
    def __init__(self, items: Sequence[Node]) -> None:
        self.items = items
        self.at = 0
        self.flags: list[Flag] = []
        self.problems: list[Problem] = []

    def run(self) -> Arguments:
        image: Node | None = None
        while image is None and self.at < len(self.items):
            node = self.items[self.at]
            self.at += 1
            word = self.word(node)
            if word is None:
                continue
            if word == "--":
                image = self.behind_dashes(node)
                break
            if word.startswith("--"):
                self.long(node, word)
            elif word.startswith("-") and word != "-":
                self.short(node, word)
            elif word.startswith("${"):
                # May become a flag as well; were it taken for the image, the flags behind it
                # would go unread.
                message = (
                    f"`{readable(word)}` may become a flag or the image: its value is not known"
                )
                self.problem(node, message)
            else:
                image = node
        rest = tuple(self.items[self.at :])
        return Arguments(tuple(self.flags), image, rest, tuple(self.problems))

    def word(self, node: Node) -> str | None:
        """The text of a word; None, with a problem noted, for a node that is no text."""
        text = node.text()
        if text is None and node.kind != "missing":
            self.problem(node, "expected text in double quotes")
        return text

    def problem(self, node: Node, message: str) -> None:
        self.problems.append(Problem(node.span, message))

    def behind_dashes(self, dashes: Node) -> Node | None:
        if self.at == len(self.items):
            message = "`--` ends the flags: the next word, whatever it is, becomes the image"
            self.problem(dashes, message)
            return None
        self.at += 1
        return self.items[self.at - 1]

    def long(self, node: Node, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            self.problem(node, f"`{readable(word)}` is not a flag")
            return
        name = ALIASES.get(name, name)
        value_at = len(word) - len(value)
        if name in BOOLEAN:
            self.boolean(name, value if equals else None, node, value_at)
        elif equals:
            self.add(name, value, node, value_at)
        else:
            self.needs_value(name, node)
        if name not in BOOLEAN and name not in WITH_VALUE:
            # The search for a similar name is slow, so only the first problems get a suggestion.
            suggestion = _nearest(name) if len(self.problems) < _MOST_SUGGESTED else ""
            self.problem(node, f"`--{readable(name)}` is not a flag of `docker run`{suggestion}")

    def short(self, node: Node, word: str) -> None:
        """Read a word like ``-it``, ``-vx``, ``-u=0`` or ``-itu 0``: booleans, then at most one value."""
        for index, letter in enumerate(word[1:], start=1):
            name = SHORT.get(letter)
            if name is None:
                self.problem(node, f"`-{readable(letter)}` is not a flag of `docker run`")
                return
            has_equals = word[index + 1 : index + 2] == "=" and index + 2 < len(word)
            value_at = index + 2 if has_equals else index + 1
            if name in BOOLEAN and has_equals:
                self.boolean(name, word[value_at:], node, value_at)
                return
            if name in BOOLEAN:
                if word.index(letter, 1) == index:  # a repeated letter changes nothing
                    self.boolean(name, None, node, value_at)
            elif value_at < len(word):
                self.add(name, word[value_at:], node, value_at)
                return
            else:
                self.needs_value(name, node)
                return

    def boolean(self, name: str, value: str | None, node: Node, value_at: int) -> None:
        if value is None:
            self.flags.append(Flag(name, "true", (node,), _inside(node, 0)))
            return
        is_on = BOOLEANS.get(value)
        self.add(name, value if is_on is None else str(is_on).lower(), node, value_at)
        if is_on is None and "${" not in value:
            message = f"`--{name}` takes `true` or `false`, not `{readable(value)}`"
            self.problem(node, message)

    def add(self, name: str, value: str, node: Node, value_at: int) -> None:
        self.flags.append(Flag(name, value, (node,), _inside(node, value_at)))

    def needs_value(self, name: str, node: Node) -> None:
        """Read a flag whose value is the next word, whatever that looks like."""
        is_known = name in WITH_VALUE
        following = self.items[self.at] if self.at < len(self.items) else None
        text = following.text() if following is not None else None
        if following is not None and (is_known or (text is not None and not text.startswith("-"))):
            self.at += 1
            value = self.word(following)
            self.flags.append(Flag(name, value, (node, following), _inside(following, 0)))
            return
        self.flags.append(Flag(name, None, (node,), _inside(node, 0)))
        if is_known:
            message = (
                f"`--{name}` needs a value: without one it takes the next word, whatever it is"
            )
            self.problem(node, message)


def _inside(node: Node, offset: int) -> Span:
    """The span of a string's value from the character `offset` on."""
    start, end = node.span
    if node.kind != "string" or not isinstance(node.value, str):
        return node.span
    size = len(node.value)
    if end - start == size:  # written without quotes, as in a shell or in YAML
        return Span(start + offset, end)
    if end - start == size + 2:
        return Span(start + 1 + offset, end - 1)
    return Span(min(start + 1, end), max(start + 1, end - 1))


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:40], [*BOOLEAN, *WITH_VALUE], n=1, cutoff=0.75)
    return f": did you mean `--{near[0]}`" if near else ""

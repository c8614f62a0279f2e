"""Dockerfiles as BuildKit reads them: instructions with columns, tolerant of half-typed text.

Directives (`escape`, `syntax`), lines continued over comments and blank lines, heredocs, flags,
the JSON form. What an instruction means is left to `model.image`.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from sandboxd._typing import TYPE_CHECKING, NamedTuple
from sandboxd.syntax.node import Comment, Node, Problem, Tree, readable
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

# fmt: off
KEYWORDS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})
# fmt: on
_WITH_HEREDOC = ("RUN", "COPY", "ADD")
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\Z")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_HEREDOC = re.compile(r"(?:(?<=\s)|\A)\d*<<(-?)([\"']?)([^\s<\"']+)\2(?=\s|\Z)")
_FLAG = re.compile(r"--[A-Za-z][A-Za-z0-9-]*(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*)?(?=\s|\Z)")
_KEYWORD = re.compile(r"[^\s]+")
# No real file has as many; what follows is not read, and that is said.
MAX_INSTRUCTIONS = 20_000
MAX_UNENDED = 20


class Text:
    """A text put together from pieces of the file, that knows where each of its characters was."""

    __slots__ = ("_offsets", "_starts", "text")

    def __init__(self, pieces: list[tuple[str, int]]) -> None:
        self.text = "".join(piece for piece, _ in pieces)
        self._starts: list[int] = []
        self._offsets = [offset for _, offset in pieces]
        at = 0
        for piece, _ in pieces:
            self._starts.append(at)
            at += len(piece)

    def span(self, start: int, end: int) -> Span:
        """Where the characters from `start` to `end` stand in the file."""
        first = self.offset(start)
        return Span(first, max(first, self.offset(end - 1) + 1 if end > start else first))

    def offset(self, at: int) -> int:
        index = bisect_right(self._starts, at) - 1
        return self._offsets[index] + at - self._starts[index] if index >= 0 else 0


class Word(NamedTuple):
    """A word of an instruction: `value` is without its quotes."""

    value: str
    span: Span


class Heredoc(NamedTuple):
    """`name` ends it; `expands` is False when it was quoted."""

    name: str
    body: Text
    expands: bool


class Instruction(NamedTuple):
    """`text` is what follows the keyword and the flags, continued lines joined."""

    keyword: str
    span: Span
    flags: tuple[Word, ...]
    text: Text
    heredocs: tuple[Heredoc, ...]

    def flag(self, name: str) -> Iterator[tuple[Word, str]]:
        """The flags `--name=value`, each with its value."""
        for flag in self.flags:
            key, separator, value = flag.value.partition("=")
            if key == f"--{name}":
                yield flag, value if separator else "true"

    def json(self) -> list[str] | None:
        """The strings of the JSON form, None for the shell form."""
        text = self.text.text.strip()
        if not text.startswith("["):
            return None
        import json

        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            return None
        is_list = isinstance(words, list) and all(isinstance(word, str) for word in words)
        return words if is_list else None

    def words(self) -> list[Word]:
        """The words between white space, quotes taken off."""
        return list(_words(self.text))

    def scripts(self) -> Iterator[Text]:
        """What a shell runs: the line, and the heredocs behind it."""
        yield self.text
        for heredoc in self.heredocs:
            yield heredoc.body


class DockerfileNode(Node):
    """The root: an array of one string for each instruction, and the instructions themselves."""

    __slots__ = ("directives", "instructions")

    def __init__(self, span: Span) -> None:
        super().__init__("array", span)
        self.instructions: list[Instruction] = []
        self.directives: dict[str, Word] = {}


def parse(text: str) -> Tree:
    """The tree of a Dockerfile; its root is a :class:`DockerfileNode`."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.root = DockerfileNode(Span(0, len(text)))
        self.problems: list[Problem] = []
        self.comments: list[Comment] = []
        self.escape = "\\"
        self.at = 0
        self.end = 0
        self.unended = 0

    def parse(self) -> Tree:
        self.directives()
        while self.at < len(self.text):
            start, line = self.line()
            stripped = line.strip()
            if stripped.startswith("#"):
                self.comment(start, line)
            elif stripped:
                if len(self.root.instructions) >= MAX_INSTRUCTIONS:
                    span = Span(start, start + len(line))
                    self.problems.append(Problem(span, "holds too much to be read to its end"))
                    break
                self.instruction(start, line)
        return Tree(self.root, tuple(self.problems), tuple(self.comments))

    def line(self) -> tuple[int, str]:
        """The next line without its end, and where it starts."""
        match = _LINE.match(self.text, self.at)
        start = self.at
        self.at = match.end() if match else len(self.text)
        return start, match[1] if match else ""

    def comment(self, start: int, line: str) -> None:
        begin = start + len(line) - len(line.lstrip())
        self.comments.append(Comment(Span(begin, start + len(line.rstrip()))))

    def directives(self) -> None:
        """Comments of the form ``# name=value`` before anything else, each name once."""
        while self.at < len(self.text):
            before = self.at
            start, line = self.line()
            match = _DIRECTIVE.match(line.strip())
            name = match[1].lower() if match else ""
            if match is None or name in self.root.directives:
                self.at = before
                return
            value = start + line.rfind(match[2]) if match[2] else start + len(line)
            self.root.directives[name] = Word(match[2], Span(value, value + len(match[2])))
            self.comment(start, line)
            if name == "escape" and match[2] in ("\\", "`"):
                self.escape = match[2]

    def instruction(self, start: int, line: str) -> None:
        begin = start + len(line) - len(line.lstrip())
        pieces, end = self.continued(begin, start, line)
        text = Text(pieces)
        found = _KEYWORD.match(text.text)
        keyword = found[0].upper() if found else ""
        at = _blank(text.text, len(keyword))
        if keyword not in KEYWORDS:
            message = f"there is no instruction `{readable(found[0] if found else '', 30)}`"
            self.problems.append(Problem(text.span(0, len(keyword)), message))
        at, flags = _flags(text, at)
        heredocs: list[Heredoc] = []
        is_shell = keyword in _WITH_HEREDOC or keyword == "ONBUILD"
        if is_shell and "<<" in text.text:
            for match in _HEREDOC.finditer(text.text, at):
                # Each that has no end is looked for through the whole file.
                if self.unended >= MAX_UNENDED:
                    break
                heredoc = self.heredoc(match, text)
                if heredoc is not None:
                    heredocs.append(heredoc)
                    end = max(end, self.end)
        rest = _tail(pieces, at)
        span = Span(begin, end)
        node = Node("string", span, self.text[begin:end])
        node.parent = self.root
        self.root.items.append(node)
        instruction = Instruction(keyword, span, tuple(flags), Text(rest), tuple(heredocs))
        self.root.instructions.append(instruction)

    def continued(self, begin: int, start: int, line: str) -> tuple[list[tuple[str, int]], int]:
        """The pieces of a logical line, and where its last one ends."""
        pieces: list[tuple[str, int]] = []
        offset = begin
        while True:
            body = self.text[offset : start + len(line)]
            stripped = body.rstrip(" \t")
            end = offset + len(stripped)
            if not stripped.endswith(self.escape):
                pieces.append((stripped, offset))
                return pieces, end
            pieces.append((stripped[:-1], offset))
            while True:
                if self.at >= len(self.text):
                    return pieces, end
                start, line = self.line()
                if line.lstrip().startswith("#"):
                    self.comment(start, line)
                elif line.strip():
                    break
            offset = start

    def heredoc(self, match: re.Match[str], text: Text) -> Heredoc | None:
        """The lines up to the one that is its name; the file's end may not stand in for it."""
        name, strips = match[3], bool(match[1])
        begin = self.at
        pieces: list[tuple[str, int]] = []
        while self.at < len(self.text):
            start, line = self.line()
            if (line.lstrip("\t") if strips else line) == name:
                self.end = start + len(line)
                return Heredoc(name, Text(pieces or [("", begin)]), not match[2])
            pieces.append((self.text[start : self.at], start))
        message = f"there is no line `{readable(name, 30)}` that ends this"
        self.problems.append(Problem(text.span(*match.span()), message))
        # What follows is read as instructions: half-typed text keeps its findings.
        self.at = begin
        self.unended += 1
        return None


def _flags(text: Text, at: int) -> tuple[int, list[Word]]:
    found: list[Word] = []
    while True:
        match = _FLAG.match(text.text, at)
        if match is None:
            return at, found
        value = match[0].replace('"', "").replace("'", "")
        found.append(Word(value, text.span(*match.span())))
        at = _blank(text.text, match.end())


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _tail(pieces: list[tuple[str, int]], at: int) -> list[tuple[str, int]]:
    """The pieces without their first `at` characters."""
    rest: list[tuple[str, int]] = []
    for piece, offset in pieces:
        if at >= len(piece):
            at -= len(piece)
            continue
        rest.append((piece[at:], offset + at))
        at = 0
    if not rest and pieces:
        rest.append(("", pieces[-1][1] + len(pieces[-1][0])))
    return rest


_WORD = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\]|[\"'\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\$`])")
_QUOTE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|\\(.)", re.DOTALL)


def _words(text: Text) -> Iterator[Word]:
    for match in _WORD.finditer(text.text):
        yield Word(unquoted(match[0]), text.span(*match.span()))


def unquoted(text: str) -> str:
    """Without the quotes around parts of it; within double ones a backslash hides the next."""
    if not ('"' in text or "'" in text or "\\" in text):
        return text
    return _QUOTE.sub(_plain, text)


def _plain(match: re.Match[str]) -> str:
    if match[1] is not None:
        return _ESCAPED.sub(r"\1", match[1])
    return match[2] if match[2] is not None else match[3]

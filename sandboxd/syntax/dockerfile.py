"""Parses Dockerfiles as BuildKit does: instructions with columns, tolerant of half-typed text.

Directives (`escape`, `syntax`), lines continued over comments and blank lines, heredocs, flags, the JSON
form. What an instruction means is left to `model.image`."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.syntax.node import UNREAD, Comment, Node, Problem, Tree, readable
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
# Of a line without blanks around it.
_DIRECTIVE = re.compile(r"(?:#|//)\s*+([A-Za-z][A-Za-z0-9]*+)\s*+=\s*+(\S.*)\Z")
_DIRECTIVES = ("syntax", "escape", "check")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)\Z")
_FLAG = re.compile(
    r"--(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\\.|[^\s\"'\\])*(?=\s|\Z)", re.DOTALL
)
_FLAG_MARK = re.compile(r"\\(.)|[\"']", re.DOTALL)
_KEYWORD = re.compile(r"[^\s]+")
# No real file has as many; what follows is not read, and that is said.
MAX_INSTRUCTIONS = 20_000
MAX_UNENDED = 20


class Text:
    """A text joined from pieces of the file, which knows the place of each of its characters."""

    __slots__ = ("_offsets", "_pieces", "_starts", "text")

    def __init__(self, pieces: list[tuple[str, int]]) -> None:
        self._pieces = pieces
        self.text = "".join(piece for piece, _ in pieces)
        self._starts: list[int] = []
        self._offsets = [offset for _, offset in pieces]
        at = 0
        for piece, _ in pieces:
            self._starts.append(at)
            at += len(piece)

    def span(self, start: int, end: int) -> Span:
        """The place in the file of the characters from `start` to `end`."""
        first = self.offset(start)
        return Span(first, max(first, self.offset(end - 1) + 1 if end > start else first))

    def offset(self, at: int) -> int:
        index = bisect_right(self._starts, at) - 1
        return self._offsets[index] + at - self._starts[index] if index >= 0 else 0

    def behind(self, at: int) -> Text:
        """The text without its first `at` characters."""
        rest: list[tuple[str, int]] = []
        for piece, offset in self._pieces:
            if at >= len(piece):
                at -= len(piece)
                continue
            rest.append((piece[at:], offset + at))
            at = 0
        if not rest and self._pieces:
            piece, offset = self._pieces[-1]
            rest.append(("", offset + len(piece)))
        return Text(rest)


class Word(NamedTuple):
    """A word of an instruction; `value` is the text without its quotes."""

    value: str
    span: Span


class Heredoc(NamedTuple):
    """A here-document of an instruction.

    `name` is the word that ends it; `expands`: whether variables in it are expanded, which is not so if that word was
    quoted.
    """

    name: str
    body: Text
    expands: bool


class Instruction(NamedTuple):
    """One instruction of a Dockerfile.

    `text` is what follows the keyword and its flags, with continued lines joined; `escape` is the file's escape
    character.
    """

    keyword: str
    span: Span
    flags: tuple[Word, ...]
    text: Text
    heredocs: tuple[Heredoc, ...]
    escape: str = "\\"

    def flag(self, name: str) -> Iterator[tuple[Word, str]]:
        """Yield the flags `--name=value` with this name, each with its value."""
        for flag in self.flags:
            key, separator, value = flag.value.partition("=")
            if key == f"--{name}":
                yield flag, value if separator else "true"

    def json(self) -> list[str] | None:
        """The strings of the JSON form; None for the shell form."""
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

    def triggered(self) -> Instruction | None:
        """The instruction after `ONBUILD`, which runs when an image is based on this one; None for other
        instructions.
        """
        if self.keyword != "ONBUILD":
            return None
        match = _KEYWORD.match(self.text.text)
        keyword = match[0].upper() if match else ""
        if keyword not in KEYWORDS or keyword in ("ONBUILD", "FROM", "MAINTAINER"):
            return None
        at, flags = _flags(self.text, _blank(self.text.text, len(keyword)))
        return self._replace(keyword=keyword, flags=tuple(flags), text=self.text.behind(at))

    def words(self) -> list[Word]:
        """The words, separated by white space, with their quotes removed."""
        return list(_words(self.text, self.escape))

    def scripts(self) -> Iterator[Text]:
        """Yield the texts that a shell runs: the line, then its heredocs."""
        yield self.text
        for heredoc in self.heredocs:
            yield heredoc.body


class DockerfileNode(Node):
    """The root node: an array with one string for each instruction; it also has the instructions."""

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
                    message = f"more than {MAX_INSTRUCTIONS:,} instructions"
                    self.problems.append(Problem(span, message, UNREAD))
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
        """Read comments of the form ``# name=value`` before anything else, each name once.

        As BuildKit's `DetectSyntax` does, `syntax` is also found behind a line ``#!``, in a comment of the
        form ``//``, and in a file that is a JSON object.
        """
        if self.text.startswith("#!"):
            self.comment(*self.line())
        elif self.text.lstrip()[:1] == "{" and self.json_syntax():
            return
        names = _DIRECTIVES if self.at == 0 else ("syntax",)
        mark = "//" if self.text.startswith("//", self.at) else "#"
        while self.at < len(self.text):
            before = self.at
            start, line = self.line()
            match = _DIRECTIVE.match(line.strip())
            name = match[1].lower() if match and line.lstrip().startswith(mark) else ""
            is_indented_syntax = name == "syntax" and line[:1].isspace()
            if match is None or name not in names or name in self.root.directives:
                self.at = before
                return
            value = match[2].split(" ")[0] if name == "syntax" else match[2]
            at = start + line.index(match[2], line.index("="))
            self.comment(start, line)
            if not is_indented_syntax:
                self.root.directives[name] = Word(value, Span(at, at + len(value)))
            if name == "escape" and value in ("\\", "`"):
                self.escape = value

    def json_syntax(self) -> bool:
        """Read the frontend's name from a file that is a JSON object; False for another file."""
        from sandboxd.syntax import jsonc

        tree = jsonc.parse(self.text)
        node = tree.root.get("syntax") if tree.root is not None else None
        value = node.text() if node is not None else None
        if node is None or value is None or tree.problems:
            return False
        self.root.directives["syntax"] = Word(value, node.inside())
        self.at = len(self.text)
        return True

    def instruction(self, start: int, line: str) -> None:
        begin = start + len(line) - len(line.lstrip())
        pieces, end = self.continued(begin, start, line)
        text = Text(pieces)
        first_word = _KEYWORD.match(text.text)
        keyword = first_word[0].upper() if first_word else ""
        at = _blank(text.text, len(keyword))
        if keyword not in KEYWORDS:
            message = (
                f"there is no instruction `{readable(first_word[0] if first_word else '', 30)}`"
            )
            self.problems.append(Problem(text.span(0, len(keyword)), message))
        at, flags = _flags(text, at)
        heredocs: list[Heredoc] = []
        is_shell = keyword in _WITH_HEREDOC or keyword == "ONBUILD"
        if is_shell and "<<" in text.text:
            for word in _WORD.finditer(text.text, at):
                match = _HEREDOC.match(word[0])
                # The search for the end of an unended one reads the whole rest of the file.
                if self.unended >= MAX_UNENDED:
                    break
                heredoc = self.heredoc(match, text.span(*word.span())) if match else None
                if heredoc is not None:
                    heredocs.append(heredoc)
                    end = max(end, self.end)
        span = Span(begin, end)
        node = Node("string", span, self.text[begin:end])
        self.root.items.append(node)
        instruction = Instruction(
            keyword, span, tuple(flags), text.behind(at), tuple(heredocs), self.escape
        )
        self.root.instructions.append(instruction)

    def continued(self, begin: int, start: int, line: str) -> tuple[list[tuple[str, int]], int]:
        """The pieces of a logical line, and where its last one ends."""
        pieces: list[tuple[str, int]] = []
        offset = begin
        while True:
            body = self.text[offset : start + len(line)]
            stripped = body.rstrip(" \t")
            end = offset + len(stripped)
            if not self.continues(stripped):
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

    def continues(self, line: str) -> bool:
        """Whether a line ends with an escape character, which continues it; two of them are text."""
        if not line.endswith(self.escape):
            return False
        return len(line) == 1 or line[-2] != self.escape

    def heredoc(self, match: re.Match[str], place: Span) -> Heredoc | None:
        """The lines up to the one that is its name; None if the file ends before."""
        name, strips = unquote(match[2]), bool(match[1])
        begin = self.at
        pieces: list[tuple[str, int]] = []
        while self.at < len(self.text):
            start, line = self.line()
            if (line.lstrip("\t") if strips else line) == name:
                self.end = start + len(line)
                return Heredoc(name, Text(pieces or [("", begin)]), name == match[2])
            pieces.append((self.text[start : self.at], start))
        message = f"there is no line `{readable(name, 30)}` that ends this"
        self.problems.append(Problem(place, message))
        # The lines after it are read as instructions, so that half-typed text keeps its findings.
        self.at = begin
        self.unended += 1
        return None


def _flags(text: Text, at: int) -> tuple[int, list[Word]]:
    """The offset of the arguments, and the flags before them; ``--`` alone ends the flags."""
    flags: list[Word] = []
    while (match := _FLAG.match(text.text, at)) is not None:
        at = _blank(text.text, match.end())
        if match[0] == "--":
            break
        flags.append(Word(_bare(match[0]), text.span(*match.span())))
    return at, flags


def _bare(flag: str) -> str:
    """A flag without quotes; a backslash escapes the next character, also in single quotes."""
    return _FLAG_MARK.sub(r"\1", flag)


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


_WORD = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\]|[\"'\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\$])")
_QUOTE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|\\(.)|\\\Z", re.DOTALL)
# Under `# escape=`` it is the other character that hides the next one: read with both exchanged.
_EXCHANGED = str.maketrans("\\`", "`\\")


def _words(text: Text, escape: str) -> Iterator[Word]:
    pattern = text.text if escape == "\\" else text.text.translate(_EXCHANGED)
    for match in _WORD.finditer(pattern):
        start, end = match.span()
        yield Word(unquote(text.text[start:end], escape), text.span(start, end))


def unquote(text: str, escape: str = "\\") -> str:
    """`text` without the quotes around parts of it; within double quotes, `escape` escapes the next character."""
    if not ('"' in text or "'" in text or escape in text):
        return text
    if escape == "\\":
        return _QUOTE.sub(_plain, text)
    return _QUOTE.sub(_plain, text.translate(_EXCHANGED)).translate(_EXCHANGED)


def _plain(match: re.Match[str]) -> str:
    if match[1] is not None:
        return _ESCAPED.sub(r"\1", match[1])
    # The last alternative is a backslash that hides nothing: it goes as well.
    return match[2] if match[2] is not None else match[3] or ""

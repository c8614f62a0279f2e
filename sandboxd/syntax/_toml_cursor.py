"""A position in a TOML text, with the small parsing steps from it; collects problems and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax import _toml_scalars as scalars
from sandboxd.syntax import _toml_tokens as tokens
from sandboxd.syntax._toml_tables import MAX_DEPTH, Key, TooDeepError
from sandboxd.syntax.node import Comment, Problem
from sandboxd.text import Span

if TYPE_CHECKING:
    import re

MAX_PROBLEMS = 200


class Cursor:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problems: list[Problem] = []
        self.comments: list[Comment] = []

    def problem(self, start: int, end: int, message: str, code: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(Span(start, end), message, code))
        elif len(self.problems) == MAX_PROBLEMS:
            message = "too many problems: those after this place are not listed"
            self.problems.append(Problem(Span(start, end), message))

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def comment(self) -> None:
        start = self.at
        self.skip(tokens.COMMENT)
        self.comments.append(Comment(Span(start, self.at)))

    def end_of_line(self, what: str) -> None:
        """Read to the end of the line, where only a comment may follow; `what` is the name of the part before, for
        messages.
        """
        self.skip(tokens.BLANK)
        start = self.at
        garbage = self.skip(tokens.GARBAGE).rstrip()
        if garbage and what:
            self.problem(start, start + len(garbage), f"expected the end of the line after {what}")
        if self.text[self.at : self.at + 1] == "#":
            self.comment()

    def keys(self) -> list[Key] | None:
        """Read the parts of a dotted key; None, without reading anything, if no key begins here."""
        keys: list[Key] = []
        while match := tokens.KEY_PART.match(self.text, self.at):
            written = match[0]
            name, problem = written, None
            if written[0] in "\"'":
                scalar = scalars.string(written)
                name, problem = str(scalar.value), scalar.problem
            if problem:
                self.problem(*match.span(), problem)
            keys.append(Key(name, Span(*match.span())))
            if len(keys) > MAX_DEPTH:
                raise TooDeepError
            self.at = match.end()
            dot = tokens.DOT.match(self.text, self.at)
            if dot is None:
                return keys
            self.at = dot.end()
        if keys:
            at = self.text.rindex(".", 0, self.at)
            self.problem(at, at + 1, "expected another part of the key after this dot")
        return keys or None

"""Parses simple commands of shell scripts and Makefiles, each word with its place.

The root is an array of commands, and a command an array of words. A word is a string node without its quotes; variables
are not expanded. Control structures (`if`, `for`, functions) are ignored: only commands count. Commands within `$(...)`
and back quotes are commands as well.
"""

from __future__ import annotations

from sandboxd.syntax.node import Comment, Node, Tree, collector_paused
from sandboxd.text import Span

# How deep commands within commands are looked into, and how many there may be.
_DEEPEST = 10
_MOST_SUBSTITUTIONS = 2_000
NOTHING = "\0"
"""A character that is no part of a word: a shell drops it. It fills what a quote takes in the language around a script."""
_BREAKS = ";&|()\n"
_BLANK = " \t\r"


def parse(text: str, make: bool = False) -> Tree:
    """The commands of a script.

    :param make: whether `text` is a Makefile, of which recipes and variables are read
    """
    root = Node("array", Span(0, len(text)))
    comments: list[Comment] = []
    with collector_paused(len(text)):
        waiting = (
            [(start, end, 0) for start, end in _recipes(text)] if make else [(0, len(text), 0)]
        )
        remaining = _MOST_SUBSTITUTIONS
        for start, end, depth in waiting:  # grows meanwhile
            scanner = _Scanner(text, start, end, make)
            scanner.run()
            root.items.extend(scanner.commands)
            comments.extend(scanner.comments)
            if depth < _DEEPEST and remaining > 0:
                inner = scanner.inner[:remaining]
                remaining -= len(inner)
                waiting.extend((*span, depth + 1) for span in inner)
    root.items.sort(key=lambda command: command.span)
    return Tree(root, (), tuple(sorted(comments, key=lambda comment: comment.span)))


def _recipes(text: str) -> list[tuple[int, int]]:
    """Spans of recipe lines without their marks, and of the values of variables, continuations included."""
    ranges: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = at
        while True:
            newline = text.find("\n", end)
            newline = len(text) if newline < 0 else newline
            if not text[at:newline].rstrip("\r").endswith("\\") or newline == len(text):
                break
            end = newline + 1
        line = text[at:newline]
        if line.startswith("\t"):
            start = at + 1
            while text[start : start + 1] in ("@", "-", "+", " ", "\t") and start < newline:
                start += 1
            ranges.append((start, newline))
        else:
            name, equals, _ = line.partition("=")
            if equals and name.rstrip(":?+! ").replace("_", "").replace("-", "").isalnum():
                ranges.append((at + len(name) + 1, newline))
        at = newline + 1
    return ranges


class _Scanner:
    """Reads the commands of one stretch of text."""

    def __init__(self, text: str, start: int, end: int, make: bool) -> None:
        self.text = text
        self.at = start
        self.end = end
        self.make = make
        self.commands: list[Node] = []
        self.comments: list[Comment] = []
        self.inner: list[tuple[int, int]] = []
        self.words: list[Node] = []
        self.heredocs: list[tuple[str, bool]] = []

    def run(self) -> None:
        text = self.text
        while self.at < self.end:
            char = text[self.at]
            if char in _BLANK:
                self.at += 1
            elif char == "\\" and text[self.at + 1 : self.at + 3].startswith(("\n", "\r\n")):
                self.at = text.index("\n", self.at) + 1
            elif char == "#":
                self.comment()
            elif char in _BREAKS:
                self.finish()
                self.at += 1
                if char == "\n" and self.heredocs:
                    self.skip_heredocs()
            elif char in "<>":
                self.redirection()
            else:
                self.words.append(self.word())
        self.finish()

    def finish(self) -> None:
        if not self.words:
            return
        command = Node("array", Span(self.words[0].span.start, self.words[-1].span.end))
        command.items = self.words
        self.commands.append(command)
        self.words = []

    def comment(self) -> None:
        stop = self.text.find("\n", self.at, self.end)
        stop = self.end if stop < 0 else stop
        self.comments.append(Comment(Span(self.at, stop)))
        self.at = stop

    def redirection(self) -> None:
        """Skip a redirection: its target is no argument, and the body of a here-document no command."""
        text = self.text
        if text.startswith("<(", self.at) or text.startswith(">(", self.at):
            self.at += 1
            return
        is_here = text.startswith("<<", self.at) and not text.startswith("<<<", self.at)
        while self.at < self.end and text[self.at] in "<>&|-":
            self.at += 1
        while self.at < self.end and text[self.at] in " \t":
            self.at += 1
        if self.at < self.end and text[self.at] not in _BREAKS:
            target = self.word()
            if is_here:
                dashed = text[target.span.start - 1] == "-"
                self.heredocs.append((str(target.value), dashed))

    def skip_heredocs(self) -> None:
        for mark, _ in self.heredocs:
            while self.at < self.end:
                newline = self.text.find("\n", self.at, self.end)
                newline = self.end if newline < 0 else newline
                line = self.text[self.at : newline].strip()
                self.at = newline + 1
                if line == mark:
                    break
        self.heredocs = []

    def word(self) -> Node:
        text, start = self.text, self.at
        parts: list[str] = []
        while self.at < self.end:
            char = text[self.at]
            if char in _BLANK or char in _BREAKS or char in "<>":
                break
            if char == "'":
                close = text.find("'", self.at + 1, self.end)
                close = self.end if close < 0 else close
                parts.append(text[self.at + 1 : close].replace(NOTHING, ""))
                self.at = min(close + 1, self.end)
            elif char == '"':
                self.double_quoted(parts)
            elif char == "\\":
                if text[self.at + 1 : self.at + 3].startswith(("\n", "\r\n")):
                    break
                parts.append(text[self.at + 1 : self.at + 2])
                self.at = min(self.at + 2, self.end)
            elif char in "$`":
                parts.append(self.expansion())
            elif char == NOTHING:
                self.at += 1
            else:
                parts.append(char)
                self.at += 1
        if self.at == start:
            self.at += 1
        return Node("string", Span(start, self.at), "".join(parts))

    def double_quoted(self, parts: list[str]) -> None:
        text = self.text
        self.at += 1
        while self.at < self.end and text[self.at] != '"':
            char = text[self.at]
            if char == "\\" and text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`"):
                parts.append(text[self.at + 1])
                self.at += 2
            elif char == "\\" and text[self.at + 1 : self.at + 2] == "\n":
                self.at += 2
            elif char in "$`":
                parts.append(self.expansion())
            elif char == NOTHING:
                self.at += 1
            else:
                parts.append(char)
                self.at += 1
        self.at = min(self.at + 1, self.end)

    def expansion(self) -> str:
        """A variable or a substitution, as it is written."""
        text, start = self.text, self.at
        if text[start] == "`":
            close = text.find("`", start + 1, self.end)
            close = self.end if close < 0 else close
            self.inner.append((start + 1, close))
            self.at = min(close + 1, self.end)
            return text[start : self.at]
        if self.make and text.startswith("$$", start):
            self.at += 1
        opening = text[self.at + 1 : self.at + 2]
        if opening in ("(", "{") and self.at + 1 < self.end:
            close = self.closing(self.at + 1, opening, ")" if opening == "(" else "}")
            is_make = self.make and not text.startswith("$$", start)
            if opening == "(" and not is_make:
                self.inner.append((self.at + 2, close))
            self.at = min(close + 1, self.end)
        else:
            self.at += 1
        return text[start : self.at].replace("$$", "$") if self.make else text[start : self.at]

    def closing(self, at: int, opening: str, closing: str) -> int:
        """The offset at which a bracket ends; brackets in quotes do not count."""
        depth = 0
        while at < self.end:
            char = self.text[at]
            if char == "\\":
                at += 1
            elif char == "'" and opening == "(":
                close = self.text.find("'", at + 1, self.end)
                at = self.end if close < 0 else close
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    return at
            at += 1
        return self.end

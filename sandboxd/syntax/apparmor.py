"""AppArmor's language as a tree, tolerant of half-typed text.

The root is an object; a member of it is a profile, whose key is its header (everything before the
brace) and whose value is an array. Items of a profile are its rules as strings, without the comma
and with single blanks, and objects for what stands in braces within it. What stands outside of all
profiles (includes, variables, `abi`) is a member ``""`` with an array of strings.
"""

from __future__ import annotations

from sandboxd.syntax.node import Comment, Member, Node, Problem, Tree, collector_paused, readable
from sandboxd.text import Span, line_end

_OPENING, _CLOSING = "([", ")]"
# First words of rules: one at the start of a line means that the line before lacks its comma.
_WORDS = frozenset(
    [
        "allow",
        "audit",
        "capability",
        "change_profile",
        "dbus",
        "deny",
        "file",
        "hat",
        "include",
        "link",
        "mount",
        "network",
        "owner",
        "pivot_root",
        "profile",
        "ptrace",
        "remount",
        "signal",
        "umount",
        "unix",
        "userns",
    ]
)
# The language nests profiles two levels deep; text that is deeper holds no profile.
_DEEPEST = 50


def parse(text: str) -> Tree:
    """The tree of a file. Never raises."""
    with collector_paused(len(text)):
        return _Parser(text).run()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.problems: list[Problem] = []
        self.comments: list[Comment] = []
        self.root = Node("object", Span(0, len(text)))
        self.outside = _child(self.root, "", Span(0, 0), Span(0, len(text)))
        self.blocks: list[Node] = [self.outside]
        self.holders: list[Node] = [self.root]  # the object that each of `blocks` is a member of
        self.start: int | None = None

    def run(self) -> Tree:
        text, size = self.text, len(self.text)
        while self.at < size:
            char = text[self.at]
            if char == "#":
                self.hash()
            elif char in "\r\n":
                self.line_end()
            elif char in " \t":
                self.at += 1
            elif char == ",":
                self.rule(self.at + 1)
                self.at += 1
            elif char == "{" and self.opens_block():
                self.open()
            elif char == "}":
                self.close()
            else:
                if self.start is None:
                    self.start = self.at
                self.word()
        self.end()
        return Tree(self.root, tuple(self.problems), tuple(self.comments))

    def hash(self) -> None:
        """Read a comment, or an include in its old spelling."""
        end = self.line()
        if self.start is None and self.text.startswith("#include", self.at):
            self.start = self.at
            self.at = end
            return
        self.comments.append(Comment(Span(self.at, end)))
        self.at = end

    def line_end(self) -> None:
        """Handle a line end, which ends includes and variables; other statements end with a comma."""
        if self.start is not None:
            head = self.text[self.start : self.start + 9]
            if head.startswith(("#include", "include ", "include\t", "@{", "$")) and (
                not head.startswith("@{") or "=" in self.text[self.start : self.at]
            ):
                self.rule(self.at)
        self.at += 1

    def word(self) -> None:
        """Read to the end of a word; quotes, brackets and braces within it may hold commas and blanks."""
        text, size = self.text, len(self.text)
        depth = 0
        while self.at < size:
            char = text[self.at]
            if char == '"':
                self.quoted()
                continue
            if char == "\\":
                self.at += 2
                continue
            if char in _OPENING or (char == "{" and (depth or not self.opens_block())):
                depth += 1
            elif char in _CLOSING or (char == "}" and depth):
                depth = max(0, depth - 1)
            elif char in "\r\n" or (depth == 0 and char in " \t,}{"):
                # A `#` begins a comment only where a word would begin.
                return
            self.at += 1
        self.at = min(self.at, size)

    def quoted(self) -> None:
        """Read to the end of a quoted text, or of its line; a backslash escapes the next character."""
        line = self.line()
        self.at += 1
        while self.at < line:
            char = self.text[self.at]
            self.at += 2 if char == "\\" else 1
            if char == '"':
                return
        self.at = line

    def opens_block(self) -> bool:
        """Whether a brace opens a block: a blank, a line end or a comment follows, and no `@` or `$` precedes."""
        before = self.text[self.at - 1 : self.at]
        after = self.text[self.at + 1 : self.at + 2]
        return before not in ("@", "$") and (after in ("", " ", "\t", "\r", "\n", "#"))

    def rule(self, end: int) -> None:
        """End the statement that began at `start`."""
        if self.start is None:
            return
        written = self.text[self.start : end]
        stripped = written.rstrip(" \t\r\n")
        value = " ".join(_without_comments(stripped.removesuffix(",")).split())
        node = Node("string", Span(self.start, self.start + len(stripped)), value)
        self.blocks[-1].items.append(node)
        if "\n" in stripped:
            self.several_lines(self.start, stripped)
        self.start = None

    def several_lines(self, start: int, written: str) -> None:
        """Check a rule over several lines, of which some begin like rules of their own."""
        offset = 0
        before: tuple[int, int] | None = None
        for line in written.split("\n"):
            first = line.split(maxsplit=1)[:1]
            if before is not None and first and first[0].rstrip(",") in _WORDS:
                self.missing_comma(*before)
            if first:
                at = start + offset
                before = (at + len(line) - len(line.lstrip()), at + len(line.rstrip()))
            offset += len(line) + 1

    def open(self) -> None:
        start = self.at if self.start is None else self.start
        header = " ".join(_without_comments(self.text[start : self.at]).split())
        key = Span(start, start + len(self.text[start : self.at].rstrip()))
        parent = self.blocks[-1]
        if parent is self.outside:
            holder = self.root
        else:
            holder = Node("object", Span(start, len(self.text)))
            parent.items.append(holder)
        block = _child(holder, header, key, Span(self.at, len(self.text)))
        if len(self.blocks) < _DEEPEST:
            self.blocks.append(block)
            self.holders.append(holder)
        else:
            self.problem(self.at, "blocks are nested too deep")
        self.start = None
        self.at += 1

    def close(self) -> None:
        if self.start is not None:
            stripped = self.text[self.start : self.at].rstrip()
            self.missing_comma(self.start, self.start + len(stripped))
            self.rule(self.at)
        if len(self.blocks) == 1:
            self.problem(self.at, "there is no block that this `}` closes")
        else:
            block = self.blocks.pop()
            block.span = Span(block.span.start, self.at + 1)
            holder = self.holders.pop()
            if holder is not self.root:
                holder.span = Span(holder.span.start, self.at + 1)
        self.at += 1

    def end(self) -> None:
        if self.start is not None:
            stripped = self.text[self.start :].rstrip()
            if not stripped.startswith(("#include", "include", "@{", "$")):
                self.missing_comma(self.start, self.start + len(stripped))
            self.rule(len(self.text))
        for block in self.blocks[1:]:
            self.problem(block.span.start, "this `{` is not closed")

    def missing_comma(self, start: int, end: int) -> None:
        text = readable(" ".join(self.text[start:end].split()))
        self.problems.append(Problem(Span(start, end), f"`{text}` has no `,` at its end"))

    def problem(self, at: int, message: str) -> None:
        self.problems.append(Problem(Span(at, at + 1), message))

    def line(self) -> int:
        """The offset of the end of this line."""
        return line_end(self.text, self.at)


def _child(holder: Node, header: str, key: Span, span: Span) -> Node:
    """A member of `holder` with an array for its value."""
    name, block = Node("string", key, header), Node("array", span)
    holder.members.append(Member(name, block))
    return block


def _without_comments(text: str) -> str:
    """The text of a statement over several lines, without the comments at their ends."""
    if "#" not in text[1:]:
        return text
    lines = text.split("\n")
    return "\n".join(
        line if index == 0 and line.startswith("#include") else _cut(line)
        for index, line in enumerate(lines)
    )


def _cut(line: str) -> str:
    at = line.find(" #")
    return line[:at] if at >= 0 else ("" if line.lstrip().startswith("#") else line)

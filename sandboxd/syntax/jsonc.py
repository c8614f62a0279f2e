"""JSON with comments, as editors and the dev container CLI read it, tolerant of half-typed text.

Comments and trailing commas are part of the language. Everything else that is not JSON becomes a
:class:`~sandboxd.syntax.node.Problem`, and reading goes on. Where readers disagree on broken
text we prefer to see too much: the dev container CLI ignores syntax errors and acts on what its
parser could save, so text that it skips over (an unknown word, a `#`, a brace without a key) must
not hide what follows. The one difference known: a container behind a key without a colon keeps
its members, which that parser gives to the object outside.

One pass, no recursion; no character is dropped without a problem. The tree is at most
:data:`MAX_DEPTH` containers deep, so that those who walk it may recurse.
"""

from __future__ import annotations

from sandboxd.syntax import _jsonc_members as members
from sandboxd.syntax import _jsonc_tokens as tokens
from sandboxd.syntax.node import (
    UNREAD,
    Comment,
    Member,
    Node,
    Problem,
    Tree,
    collector_paused,
    readable,
)
from sandboxd.text import Span

MAX_DEPTH = 200
MAX_PROBLEMS = 200

# States of the parser: the token that may come next. A closed container always leaves its parent in _AFTER.
_VALUE, _KEY, _COLON, _AFTER = range(4)


def parse(text: str) -> Tree:
    """The tree of `text`, which must not begin with a byte order mark. Never raises."""
    with collector_paused(len(text)):
        return _Parser(text).run()


class _Parser:
    __slots__ = (
        "bad_word", "comments", "is_passed_over", "is_reopened", "key", "key_end", "last_end", "open_kinds",
        "problems", "root", "skipped", "stack", "state", "text", "too_deep", "unsound",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.comments: list[Comment] = []
        self.root: Node | None = None
        self.stack: list[Node] = []
        self.state = _VALUE
        self.key: Node | None = None
        self.key_end = 0  # behind the key's colon, or behind the key while there is none
        self.last_end = 0  # behind the last token
        self.bad_word: Span | None = None  # stands where a value belongs and was reported
        self.open_kinds = {"object": 0, "array": 0}
        self.too_deep: Node | None = None
        self.skipped = 0  # containers open below MAX_DEPTH
        self.unsound: set[int] = set()  # by identity: keys of members that other readers pass over
        self.is_passed_over = False  # what they pass over ends at a comma or a closing brace
        self.is_reopened = False  # they read nothing behind the end of the root

    def run(self) -> Tree:
        match_token, text, at = tokens.TOKEN.match, self.text, 0
        while match := match_token(text, at):
            kind = match.lastindex or tokens.OTHER
            start, at = match.span(kind)
            if kind == tokens.LINE_COMMENT:
                self.comments.append(Comment(Span(start, at)))
            elif kind == tokens.BLOCK_COMMENT:
                at = self.block_comment(start)
            else:
                self.token(kind, start, at)
                self.last_end = at
        self.end_of_text()
        return Tree(self.root, tuple(self.problems), tuple(self.comments))

    def token(self, kind: int, start: int, end: int) -> None:
        if self.skipped:
            self.skip(kind, start, end)
        elif kind == tokens.MARK:
            self.mark(self.text[start], start, end)
        elif kind == tokens.WORD:
            self.word(self.text[start:end], start, end)
        elif kind == tokens.OTHER:
            self.other(start, end)
        else:
            self.string(kind, start, end)

    def problem(self, start: int, end: int, message: str, code: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(Span(start, end), message, code))
        elif len(self.problems) == MAX_PROBLEMS:
            rest = "too many problems: those after this place are not listed"
            self.problems.append(Problem(Span(start, end), rest))

    # Tokens

    def block_comment(self, start: int) -> int:
        end = self.text.find("*/", start + 2) + 2
        if end == 1:
            end = len(self.text)
            self.problem(start, start + 2, "this comment is not closed")
        self.comments.append(Comment(Span(start, end)))
        return end

    def string(self, kind: int, start: int, end: int) -> None:
        is_closed = kind != tokens.OPEN_STRING
        raw = self.text[start + 1 : end - 1 if is_closed else end]
        if kind == tokens.SINGLE_QUOTED:
            self.problem(start, end, "write this string in double quotes")
            value = raw
        else:
            value, faults = tokens.string(raw)
            for fault in faults:
                self.problem(start + 1 + fault.start, start + 1 + fault.end, fault.message)
        if not is_closed:
            self.problem(start, end, "this string is not closed")
        node = Node("string", Span(start, end), value)
        if self.is_key(start, end):
            self.is_passed_over |= kind == tokens.SINGLE_QUOTED
            self.begin_member(node)
        elif kind == tokens.SINGLE_QUOTED and self.state == _COLON:
            self.bad_word = node.span
        else:
            self.value(node)

    def word(self, word: str, start: int, end: int) -> None:
        scalar = tokens.word(word)
        is_key = self.is_key(start, end)
        if scalar and not (is_key and self.state == _KEY):
            self.value(Node(scalar.kind, Span(start, end), scalar.value))
        elif is_key:
            self.problem(start, end, f"write the key `{readable(word)}` in double quotes")
            self.is_passed_over = True
            self.begin_member(Node("string", Span(start, end), word))
        else:
            self.unknown_word(word, start, end)
            self.bad_word = Span(start, end)
            number = tokens.number_ahead(word) if self.state == _VALUE else None
            if number is not None:
                self.value(Node("number", Span(start, end), number.value))

    def unknown_word(self, word: str, start: int, end: int) -> None:
        last = self.problems[-1] if self.problems else None
        is_of_mark = last is not None and last.message == tokens.MERGE_MARK
        if last is not None and is_of_mark and "\n" not in self.text[last.span.start : start]:
            # The name of a branch or a commit behind the mark.
            self.problems[-1] = Problem(Span(last.span.start, end), last.message)
        else:
            self.problem(start, end, tokens.about_word(word))

    def other(self, start: int, end: int) -> None:
        char = self.text[start]
        last = self.problems[-1] if self.problems else None
        message = f"unexpected character {tokens.describe(char)}"
        if last and last.span.end == start and last.message.startswith(message):
            self.problems[-1] = Problem(Span(last.span.start, end), last.message)
        else:
            self.problem(start, end, message)

    def mark(self, mark: str, start: int, end: int) -> None:
        if mark in "{[":
            self.open(mark, start, end)
        elif mark in "}]":
            self.close(mark, start, end)
        elif mark == ",":
            self.comma(start, end)
        elif self.state == _COLON:
            self.state, self.key_end = _VALUE, end
        elif self.state == _KEY:
            self.problem(start, end, "expected a key in double quotes before this colon")
            self.is_passed_over = True
            self.state, self.key, self.key_end = _VALUE, None, end
        else:
            self.problem(start, end, "unexpected colon")
            self.pass_over()
            if self.state == _AFTER and self.stack and self.stack[-1].kind == "object":
                # `"a": "b": 1`: what follows the second colon belongs to nothing.
                self.state, self.key, self.key_end = _VALUE, None, end

    def pass_over(self) -> None:
        """Mark the current member as one that other parsers ignore, up to a comma or a closing brace."""
        self.is_passed_over = True
        if self.key is not None:
            self.unsound.add(id(self.key))

    def comma(self, start: int, end: int) -> None:
        self.is_passed_over = False
        if self.state == _AFTER and not self.stack:
            self.reopen_root(start, end)
        if self.state in (_COLON, _VALUE) and self.key is not None:
            self.missing_value()
        elif self.state != _AFTER and self.bad_word is None:
            self.problem(start, end, "expected a value before this comma")
        self.bad_word = None
        if self.stack:
            self.state = _KEY if self.stack[-1].kind == "object" else _VALUE

    # Structure

    def is_key(self, start: int, end: int) -> bool:
        """Whether a string or word is a key; one also ends an array that was not closed."""
        state = self.state
        if state == _KEY:
            return self.text[start] in "\"'" or tokens.colon_ahead(self.text, end)
        if not self.stack:
            return self.root is not None and tokens.colon_ahead(self.text, end)
        if not tokens.colon_ahead(self.text, end):
            return state == _AFTER and self.stack[-1].kind == "object" and self.text[start] == '"'
        if self.stack[-1].kind == "array":
            return self.open_kinds["object"] > 0
        if state == _COLON:
            # Other readers skip a word without double quotes, and take the colon for this key's.
            return self.text[start] == '"'
        if state == _VALUE:
            between = self.text[self.key_end : start]
            return "\n" in between or "\r" in between
        return True

    def begin_member(self, key: Node) -> None:
        if not self.stack:
            self.reopen_root(key.span.start, key.span.end)
            if not self.stack:
                return
        while self.stack[-1].kind == "array":
            self.close_early()
        if self.state in (_COLON, _VALUE):
            self.missing_value()
            # Other readers take this key for the value that is missing, or pass over it.
            self.is_passed_over = True
        elif self.state == _AFTER:
            self.expected_comma()
        self.key, self.key_end, self.state = key, key.span.end, _COLON
        self.bad_word = None
        if self.is_passed_over or self.is_reopened:
            self.unsound.add(id(key))

    def value(self, node: Node) -> None:
        """Put a value where the parser's state expects it."""
        state = self.state
        if state == _COLON and self.key is not None:
            self.problem(*self.key.span, "expected a colon after this key")
            self.pass_over()
        elif state == _AFTER:
            if not self.stack:
                if self.root is not None:
                    self.problem(*node.span, "unexpected text after the end of the value")
                return
            self.expected_comma()
        if state in (_KEY, _AFTER) and self.stack[-1].kind == "object":
            self.problem(node.span.start, node.span.start + 1, "expected a key before this value")
            self.key, self.is_passed_over = None, True
        self.attach(node)
        self.state, self.bad_word = _AFTER, None

    def attach(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if parent.kind == "array":
            parent.items.append(node)
        elif self.key is not None:
            parent.members.append(Member(self.key, node))
            self.key = None

    def missing_value(self) -> None:
        if self.key is not None:
            span = self.bad_word or Span(self.key_end, self.key_end)
            if self.bad_word is None:
                expected = "a colon and a value" if self.state == _COLON else "a value"
                self.problem(*self.key.span, f"expected {expected} after this key")
            self.attach(Node("missing", span))
        self.bad_word = None

    def expected_comma(self) -> None:
        end = self.last_end
        is_reported = bool(self.problems) and self.problems[-1].span.end == end
        if not is_reported and self.text[end - 1] != ",":
            self.problem(end - 1, end, "expected a comma after this value")

    def open(self, mark: str, start: int, end: int) -> None:
        kind = "object" if mark == "{" else "array"
        is_after_root = not self.stack and self.root is not None
        if len(self.stack) >= MAX_DEPTH:
            self.problem(start, end, f"more than {MAX_DEPTH} levels", UNREAD)
            self.too_deep = Node("missing", Span(start, end))
            self.value(self.too_deep)
            self.skipped = 1
            return
        node = Node("object" if kind == "object" else "array", Span(start, end))
        self.value(node)
        if is_after_root:
            # A second document: read past it as one piece, so that it yields one problem.
            self.too_deep, self.skipped = node, 1
            return
        self.stack.append(node)
        self.open_kinds[kind] += 1
        self.state = _KEY if kind == "object" else _VALUE

    def skip(self, kind: int, start: int, end: int) -> None:
        if kind == tokens.MARK:
            mark = self.text[start]
            self.skipped += (mark in "{[") - (mark in "}]")
        if self.too_deep is not None:
            self.too_deep.span = Span(self.too_deep.span.start, end)

    def close(self, mark: str, start: int, end: int) -> None:
        self.is_passed_over &= mark == "]"
        kind = "object" if mark == "}" else "array"
        if not self.open_kinds[kind]:
            name = "brace" if mark == "}" else "bracket"
            self.problem(start, end, f"this closing {name} has no opening one")
            return
        while self.stack[-1].kind != kind:
            self.close_early()
        if self.state in (_COLON, _VALUE):
            self.missing_value()
        self.pop(end)

    def close_early(self) -> None:
        """End the innermost container, whose closing mark is missing."""
        node = self.stack[-1]
        if self.state in (_COLON, _VALUE):
            self.missing_value()
        self.not_closed(node)
        self.pop(max(self.last_end, node.span.end))

    def not_closed(self, node: Node) -> None:
        name, start = "brace" if node.kind == "object" else "bracket", node.span.start
        self.problem(start, start + 1, f"this {name} is not closed")

    def pop(self, end: int) -> None:
        node = self.stack.pop()
        node.span = Span(node.span.start, end)
        self.open_kinds[node.kind] -= 1
        self.key, self.bad_word = None, None
        self.state = _AFTER
        if len(node.members) > 1:
            for problem in members.settle_duplicates(node, self.unsound):
                self.problem(*problem.span, problem.message, problem.code)
        if self.stack and not members.is_last_child(node, self.stack[-1]):
            members.adopt(self.stack[-1], node)

    def reopen_root(self, start: int, end: int) -> None:
        """Continue the root object when more members follow its closing brace."""
        root = self.root
        if root is None or root.kind != "object":
            if root is not None:
                self.problem(start, end, "unexpected text after the end of the value")
            return
        self.problem(root.span.end - 1, root.span.end, "this brace closes too early")
        self.stack.append(root)
        self.open_kinds["object"] += 1
        self.is_reopened = True

    def end_of_text(self) -> None:
        end = len(self.text)
        if self.skipped and self.too_deep is not None:
            self.too_deep.span = Span(self.too_deep.span.start, end)
        while self.stack:
            node = self.stack[-1]
            if self.state in (_COLON, _VALUE):
                self.missing_value()
            self.not_closed(node)
            self.pop(end)
        if self.root is None and self.bad_word is None:
            self.problem(0, 0, "expected a value, the file holds none")
        self.problems.sort(key=lambda problem: problem.span)

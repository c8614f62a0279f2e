"""TOML 1.0 as a tree of nodes, tolerant of half-typed text line by line.

Headers (``[a.b]``, ``[[x]]``) and dotted keys become nested objects and arrays. A key stands
where it was written first; the span of a table is its body: from behind its header (or, where a
dotted key or the header of a sub-table made it, from the rest of that key) to the next header.
So children lie within their parent and do not overlap, unless the file itself interleaves
tables: ``[a.x]``, then ``[b]``, then ``[a.y]``.

Whether a file is valid is decided by tomllib: if it takes the file, there are no problems. If
not, the problems are ours, which have exact places, and tomllib's first where ours come later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.syntax import _toml_scalars as scalars
from sandboxd.syntax import _toml_tokens as tokens
from sandboxd.syntax._toml_cursor import Cursor
from sandboxd.syntax._toml_tables import MAX_DEPTH, Container, Key, TooDeepError, enclose, extend
from sandboxd.syntax._toml_validity import first_problem
from sandboxd.syntax.node import UNREAD, Member, Node, Tree, collector_paused, readable
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Literal

# States of the parser: the token that may come next within a value.
_VALUE, _KEY, _AFTER = range(3)


def parse(text: str) -> Tree:
    """The tree of `text`, which must not begin with a byte order mark. Never raises."""
    with collector_paused(len(text)):
        return _Parser(text).run()


class _Parser(Cursor):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.root = Container("object", Span(0, len(text)), 0)
        self.table = self.root
        self.stack: list[Container] = []  # lists and inline tables that are open
        self.pending: tuple[Container, Key] | None = None  # the key that waits for its value
        self.has_open_long_string = False
        self.is_too_deep = False

    def run(self) -> Tree:
        size = len(self.text)
        while True:
            self.skip(tokens.SPACE)
            if self.at >= size:
                break
            if self.text[self.at] == "#":
                self.comment()
                continue
            try:
                if self.text[self.at] == "[":
                    self.header()
                else:
                    self.statement()
            except TooDeepError:
                self.is_too_deep = True
                self.stack, self.pending = [], None
                self.problem(self.at, self.at, f"more than {MAX_DEPTH} levels", UNREAD)
                self.skip(tokens.REST)
        extend(self.table, size)
        enclose(self.root)
        self.judge()
        return Tree(self.root, tuple(self.problems), tuple(self.comments))

    def judge(self) -> None:
        """Let tomllib decide whether the file is valid, unless it is nested so deeply that tomllib hangs."""
        self.problems.sort(key=lambda problem: problem.span)
        if self.is_too_deep:
            return
        first = first_problem(self.text)
        if first is None:
            self.problems = []
        elif not self.problems or self.problems[0].span.start > first.span.end:
            self.problems.insert(0, first)

    # Statements

    def header(self) -> None:
        start = self.at
        is_list = self.text.startswith("[[", start)
        self.at += 2 if is_list else 1
        self.skip(tokens.BLANK)
        extend(self.table, start)
        keys = self.keys()
        if keys is None:
            self.skip(tokens.REST)
            self.problem(start, self.at, "expected a name in this header")
            self.table = Container("object", Span(self.at, self.at), 0)  # of no known name
            return
        self.skip(tokens.BLANK)
        closing = "]]" if is_list else "]"
        if self.text.startswith(closing, self.at):
            self.at += len(closing)
            what = "this header"
        else:
            self.problem(start, self.at, f"this header is not closed: expected `{closing}`")
            what = ""
        behind = self.at
        self.end_of_line(what)
        self.table = self.declare(keys, Span(start, behind), is_list=is_list)

    def declare(self, keys: list[Key], header: Span, *, is_list: bool) -> Container:
        """The table that this header begins."""
        parent = self.descend(self.root, keys, header.end)
        key, body = keys[-1], Span(header.end, header.end)
        old = parent.index.get(key.text)
        if is_list:
            if not (isinstance(old, Container) and old.is_table_list):
                old = Container("array", body, parent.depth + 1)
                old.is_table_list = True
                self.add(parent, key, old)
            table = Container("object", body, old.depth + 1)
            old.items.append(table)
            return table
        if isinstance(old, Container) and old.kind == "object" and not old.is_fixed:
            if old.is_declared:
                self.problem(*header, f"table `{readable(key.text)}` is already declared")
            old.is_declared = True
            return old
        table = Container("object", body, parent.depth + 1)
        table.is_declared = True
        self.add(parent, key, table)
        return table

    def descend(self, table: Container, keys: list[Key], end: int) -> Container:
        """The table that the last of `keys` belongs to; tables on the way are made as needed."""
        for index, key in enumerate(keys[:-1]):
            child = table.index.get(key.text)
            if isinstance(child, Container) and child.is_table_list:
                child = child.items[-1]
            if not isinstance(child, Container) or child.kind != "object" or child.is_fixed:
                start = keys[index + 1].span.start
                child = Container("object", Span(start, max(start, end)), table.depth + 1)
                self.add(table, key, child)
            table = child
        return table

    def add(self, table: Container, key: Key, value: Node) -> None:
        if key.text in table.index:
            shown = readable(key.text)
            self.problem(*key.span, f"`{shown}` is already set in this table")
        table.index[key.text] = value
        node = Node("string", key.span, key.text)
        table.members.append(Member(node, value))

    def statement(self) -> None:
        start = self.at
        keys = self.keys()
        if keys is None:
            self.skip(tokens.GARBAGE)
            written = self.text[start : self.at].rstrip()
            end = start + max(len(written), 1)
            self.problem(start, end, "expected a key, a `[table]` or a comment")
            return
        table = self.descend(self.table, keys, self.at)
        self.pending = (table, keys[-1])
        self.skip(tokens.BLANK)
        if self.text[self.at : self.at + 1] != "=":
            end = keys[-1].span.end
            self.problem(start, end, "expected `=` and a value after this key")
            self.attach(Node("missing", Span(end, end)))
            self.end_of_line("")
        else:
            self.at += 1
            self.value()

    # Values

    def value(self) -> None:
        """Read the value behind a statement's `=`, and the rest of its line."""
        state = _VALUE
        while state != _AFTER or self.stack:
            if state == _KEY and self.inline_key():
                state = _VALUE
                continue
            match = tokens.TOKEN.match(self.text, self.at)
            kind = (match.lastindex if match else None) or 0
            start, end = match.span(kind) if match else (self.at, self.at)
            if match is None or (kind in (tokens.LINE_END, tokens.NOTE) and not self.stack):
                self.end_of_value()
                return
            if kind == tokens.LINE_END:
                # At once: what comes next is looked for behind all of them.
                blank = tokens.BLANK_LINES.match(self.text, end)
                end = blank.end() if blank is not None else end
                if self.is_next_statement(end, state):
                    self.end_of_value()
                    return
                self.at = end
                self.require_one_line()
            elif kind == tokens.NOTE:
                self.at = start
                self.comment()
            elif kind == tokens.MARK:
                self.at = end
                state = self.mark(match[kind], start, state)
            else:
                state = self.scalar(kind, start, end, state)
        self.end_of_line("this value")

    def is_next_statement(self, at: int, state: int) -> bool:
        """Whether a line within open brackets begins the next statement, which then ends the brackets."""
        is_list = self.stack[-1].kind == "array"
        match = tokens.NEXT_STATEMENT.match(self.text, at)
        if match and (is_list or not match[0].endswith("=")):
            return True
        return not is_list and state != _KEY and tokens.CONTINUES.match(self.text, at) is None

    def require_one_line(self) -> None:
        brace = self.stack[-1].span.start
        is_reported = bool(self.problems) and self.problems[-1].span.start == brace
        if self.stack[-1].kind == "object" and not is_reported:
            self.problem(brace, brace + 1, "an inline table must be on one line")

    def inline_key(self) -> bool:
        """Read a key of an inline table up to its `=`; False where none begins."""
        self.skip(tokens.BLANK)
        start = self.at
        keys = self.keys()
        if keys is None:
            return False
        self.pending = (self.descend(self.stack[-1], keys, self.at), keys[-1])
        self.skip(tokens.BLANK)
        if self.text[self.at : self.at + 1] == "=":
            self.at += 1
        else:
            self.problem(start, keys[-1].span.end, "expected `=` and a value after this key")
        return True

    def scalar(self, kind: int, start: int, end: int, state: int) -> int:
        if kind == tokens.LONG:
            kind, end = self.long_string(start)
        written = self.text[start:end]
        self.at = end
        if kind == tokens.STRING:
            scalar = scalars.string(written)
        elif kind == tokens.WORD:
            scalar = scalars.word(written)
        elif kind == tokens.OPEN_STRING:
            opening = written[:3] if written[:3] in tokens.LONG_STRING else written[0]
            value = written[len(opening) :]
            scalar = scalars.Scalar("string", value, "this string is not closed")
        else:
            self.problem(start, end, f"unexpected character `{readable(written)}`")
            return state
        if scalar.problem:
            self.problem(start, end, scalar.problem)
        return self.put(Node(scalar.kind, Span(start, end), scalar.value), state)

    def long_string(self, start: int) -> tuple[int, int]:
        """Kind and end of a string in triple quotes.

        One that is not closed ends at its line end; later ones are then taken line by line too,
        for where they begin and end is a guess, and each guess would read to the end of the file.
        """
        if not self.has_open_long_string:
            match = tokens.LONG_STRING[self.text[start : start + 3]].match(self.text, start)
            if match:
                return tokens.STRING, match.end()
            self.has_open_long_string = True
        rest = tokens.REST.match(self.text, start)
        return tokens.OPEN_STRING, rest.end() if rest else len(self.text)

    def mark(self, mark: str, start: int, state: int) -> int:
        if mark in "[{":
            return self.open(mark, start, state)
        if mark in "]}":
            kind = "array" if mark == "]" else "object"
            if self.stack and self.stack[-1].kind == kind:
                if state == _KEY and self.stack[-1].members:
                    message = "the last value of an inline table takes no comma"
                    self.problem(start, start + 1, message)
                return self.close()
            self.problem(start, start + 1, f"unexpected `{mark}`")
            return state
        if mark == "," and self.stack:
            if state == _VALUE and self.pending is not None:
                self.missing_value(start)
            elif state != _AFTER:
                self.problem(start, start + 1, "expected a value before this comma")
            return _VALUE if self.stack[-1].kind == "array" else _KEY
        self.problem(start, start + 1, f"unexpected `{mark}`")
        return state

    def open(self, mark: str, start: int, state: int) -> int:
        parent = self.pending[0] if self.pending else self.stack[-1]
        kind: Literal["object", "array"] = "array" if mark == "[" else "object"
        node = Container(kind, Span(start, start + 1), parent.depth + 1)
        node.is_fixed = True
        self.put(node, state)
        self.stack.append(node)
        return _VALUE if mark == "[" else _KEY

    def close(self) -> int:
        if self.pending is not None:
            self.missing_value(self.at - 1)
        node = self.stack.pop()
        node.span = Span(node.span.start, self.at)
        return _AFTER

    def put(self, node: Node, state: int) -> int:
        if state == _AFTER:
            self.problem(node.span.start - 1, node.span.start, "expected a comma before this value")
        elif state == _KEY:
            self.problem(*node.span, "expected a key")
            return state
        self.attach(node)
        return _AFTER

    def attach(self, node: Node) -> None:
        if self.pending is not None:
            table, key = self.pending
            self.pending = None
            self.add(table, key, node)
        elif self.stack and self.stack[-1].kind == "array":
            self.stack[-1].items.append(node)

    def missing_value(self, at: int) -> None:
        if self.pending is not None:
            key = self.pending[1]
            self.problem(*key.span, f"expected a value for `{readable(key.text)}`")
            self.attach(Node("missing", Span(at, at)))

    def end_of_value(self) -> None:
        """Close what is open, since the line or the text ends here."""
        at = self.at
        if self.pending is not None:
            self.missing_value(at)
        while self.stack:
            start = self.stack[-1].span.start
            what = "list" if self.stack[-1].kind == "array" else "inline table"
            self.problem(start, start + 1, f"this {what} is not closed")
            self.close()

"""Hypothesis strategies for documents of the languages, in all the layouts that people use."""

from __future__ import annotations

import json

from hypothesis import strategies as st

KEYS = st.sampled_from(["a", "b", "image", "runArgs", "k\n", 'q"', "𝒳", "é", ""])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.sampled_from(["// no comment", "/* nor this */", "a,b", "]}", "--cap-add=X", "\\", '"']),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


class Layout:
    """Writes a value as JSON with comments, white space and trailing commas as drawn."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.newline = data.draw(st.sampled_from(["\n", "\r\n"]))
        self.indent = data.draw(st.sampled_from(["  ", "\t", "    "]))
        self.comments = 0

    def document(self, value: object) -> str:
        return self.gap("") + self.value(value, "") + self.gap("")

    def value(self, value: object, base: str) -> str:
        if isinstance(value, dict):
            parts = [
                f"{json.dumps(k, ensure_ascii=False)}:{self.gap('')}{self.value(v, base + self.indent)}"
                for k, v in value.items()
            ]
            return "{" + self.children(parts, base) + "}"
        if isinstance(value, list):
            return (
                "[" + self.children([self.value(v, base + self.indent) for v in value], base) + "]"
            )
        return json.dumps(value, ensure_ascii=self.data.draw(st.booleans()))

    def children(self, parts: list[str], base: str) -> str:
        is_tall = self.data.draw(st.booleans())
        line = self.newline + base + self.indent if is_tall else ""
        out = ""
        for index, part in enumerate(parts):
            is_last = index == len(parts) - 1
            comma = "," if not is_last or self.data.draw(st.booleans()) else ""
            out += self.line_comment(line) + line + part + self.gap("") + comma
            out += self.line_comment(" ") if is_tall else self.gap("")
        return out + (self.newline + base if is_tall else self.gap(""))

    def line_comment(self, before: str) -> str:
        """A comment that needs a line end behind it, or nothing."""
        if not before or not self.data.draw(st.sampled_from([False, False, True])):
            return ""
        self.comments += 1
        return f"{before}// c{self.comments}"

    def gap(self, base: str) -> str:
        kind = self.data.draw(st.sampled_from(["", "", "", "", " ", "block", "line", "lines"]))
        if kind in ("", " "):
            return kind
        self.comments += 1
        if kind == "line":
            return f" // c{self.comments}{self.newline}{base}"
        inner = self.newline if kind == "lines" else " "
        return f"/* c{self.comments}{inner}*/"

"""Edits of YAML text that keep every other byte, in block and in flow style."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sandboxd.syntax.yaml import YamlNode
from sandboxd.text import Edit, Span, line_end, line_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.syntax.node import Member, Node

# Text that needs no quotes in any place and cannot be read as a number or a boolean.
_PLAIN = re.compile(r"[A-Za-z/_.~$][A-Za-z0-9/_.~$@+=-]*(?::[A-Za-z0-9/_.~$@+=-]+)*\Z")


def encode(text: str) -> str:
    """`text` as a scalar: plain if it is certainly read as this string, otherwise in quotes."""
    from sandboxd.syntax._yaml_scalars import resolve

    if _PLAIN.match(text) and resolve(text, Span(0, 0))[0] == "string":
        return text
    return json.dumps(text, ensure_ascii=False)


def replace(node: Node, yaml_text: str) -> tuple[Edit, ...]:
    """The edit that replaces a value; its anchor and its tag stay."""
    return (Edit(node.content if isinstance(node, YamlNode) else node.span, yaml_text),)


def append_item(text: str, array: Node, yaml_text: str) -> tuple[Edit, ...]:
    """The edits that add an item after the last one."""
    if not array.items or _is_flow(array):
        return _into_flow(array, [item.span for item in array.items], yaml_text)
    indent = " " * _column(text, _dash(text, array, array.items[0]))
    return _behind(text, array, f"{indent}- {yaml_text}")


def set_member(text: str, obj: Node, key: str, yaml_text: str) -> tuple[Edit, ...]:
    """The edits that replace the value of `key`, or add it after the last member.

    A `yaml_text` that begins with a line end is put as a block below its key.
    """
    member = obj.member(key)
    if member is not None:
        return replace(member.value, yaml_text)
    blank = "" if yaml_text.startswith(("\n", "\r")) else " "
    written = f"{encode(key)}:{blank}{yaml_text}"
    if not obj.members or _is_flow(obj):
        return _into_flow(obj, [_extent(member) for member in obj.members], written)
    indent = " " * _column(text, obj.members[0].key.span.start)
    return _behind(text, obj, indent + written)


def remove_items(text: str, array: Node, items: Sequence[Node]) -> tuple[Edit, ...]:
    """The edits that remove items of an array. The caller makes sure that at least one remains."""
    removed = {id(item) for item in items}
    keep = [id(item) not in removed for item in array.items]
    spans = [item.span for item in array.items]
    if _is_flow(array):
        return _out_of_flow(spans, keep)
    starts = [_dash(text, array, item) for item in array.items]
    return _out_of_block(text, starts, spans, keep)


def remove_member(text: str, obj: Node, member: Member) -> tuple[Edit, ...]:
    """The edits that remove a property of an object. The caller makes sure that at least one remains."""
    keep = [other is not member for other in obj.members]
    spans = [_extent(other) for other in obj.members]
    if _is_flow(obj):
        return _out_of_flow(spans, keep)
    return _out_of_block(text, [span.start for span in spans], spans, keep)


def _is_flow(node: Node) -> bool:
    return isinstance(node, YamlNode) and node.flow


def _extent(member: Member) -> Span:
    end = max(member.key.span.end, member.value.span.end)
    return Span(member.key.span.start, end)


def _into_flow(node: Node, children: list[Span], written: str) -> tuple[Edit, ...]:
    if not children:
        opening, closing = ("[", "]") if node.kind == "array" else ("{", "}")
        return replace(node, f"{opening}{written}{closing}")
    end = children[-1].end
    return (Edit(Span(end, end), f", {written}"),)


def _behind(text: str, node: Node, line: str) -> tuple[Edit, ...]:
    """The edits that add a line below the last one of `node`, whose comment stays where it is."""
    end = line_end(text, node.span.end)
    return (Edit(Span(end, end), newline(text) + line),)


def newline(text: str) -> str:
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def _out_of_flow(spans: list[Span], keep: list[bool]) -> tuple[Edit, ...]:
    """Remove runs of children, with the comma behind them or, at the end, with the one before."""
    edits: list[Edit] = []
    index = 0
    while index < len(spans):
        if keep[index]:
            index += 1
            continue
        first = index
        while index < len(spans) and not keep[index]:
            index += 1
        start = spans[first].start
        end = spans[index - 1].end
        if index < len(spans):
            end = spans[index].start
        elif first > 0:
            start = spans[first - 1].end
        edits.append(Edit(Span(start, end), ""))
    return tuple(edits)


def _out_of_block(
    text: str, starts: list[int], spans: list[Span], keep: list[bool]
) -> tuple[Edit, ...]:
    """Remove the whole lines of children. One that shares its line with text before it (`- a: 1`)
    is replaced by the next child."""
    edits: list[Edit] = []
    for index, start in enumerate(starts):
        if keep[index]:
            continue
        begin = line_start(text, start)
        if text[begin:start].strip():
            if index + 1 < len(starts):
                edits.append(Edit(Span(start, starts[index + 1]), ""))
            continue
        end = line_end(text, max(spans[index].end, start))
        after = _over_newline(text, end)
        if after == end and begin > 0:
            # The last line of a file that has no line end: the one before it goes instead.
            begin = _before_newline(text, begin)
        edits.append(Edit(Span(begin, after), ""))
    return tuple(_merge_overlaps(edits))


def _merge_overlaps(edits: list[Edit]) -> list[Edit]:
    """The removals, with those merged that touch or overlap."""
    merged: list[Edit] = []
    for edit in edits:
        if merged and edit.span.start < merged[-1].span.end:
            edit = Edit(Span(merged[-1].span.start, max(merged[-1].span.end, edit.span.end)), "")
            merged.pop()
        merged.append(edit)
    return merged


def _dash(text: str, array: Node, item: Node) -> int:
    """The offset of the `-` of an item: in the column of the first one, on its line or above."""
    first = array.items[0]
    if item is first:
        return _first_dash(array)
    column = _column(text, _first_dash(array))
    begin = line_start(text, item.span.start)
    while begin > array.span.start:
        if text[begin : begin + column].isspace() or column == 0:
            at = begin + column
            if at <= item.span.start and text[at : at + 1] == "-":
                return at
        begin = line_start(text, begin - 1)
    return item.span.start


def _first_dash(array: Node) -> int:
    """The offset after the anchor and the tag of the array, if it has them."""
    return array.content.start if isinstance(array, YamlNode) else array.span.start


def _column(text: str, at: int) -> int:
    return at - line_start(text, at)


def _over_newline(text: str, at: int) -> int:
    if text.startswith("\r\n", at):
        return at + 2
    return at + 1 if at < len(text) else at


def _before_newline(text: str, at: int) -> int:
    return at - 2 if text[at - 2 : at] == "\r\n" else at - 1

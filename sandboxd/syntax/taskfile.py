"""Turns the commands of a Taskfile into shell lines of the same length, so that positions stay those of the file.

Source: https://taskfile.dev/docs/reference/schema.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax import yaml
from sandboxd.syntax.interpolation import as_variables
from sandboxd.syntax.node import walk
from sandboxd.syntax.yaml import YamlNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Member, Node

_COMMAND = ("cmd", "sh", "defer")
_COMMANDS = ("cmds", "status")
_VARIABLES = ("vars", "env")
_ESCAPE = re.compile(r"\\[^\"]")
_SET = re.compile(r"[\w./:@+,='\"-]+")


def as_shell(text: str) -> str:
    """The commands of all tasks and the comments, with blanks in place of everything else.

    Variables with a plain value are assignments. A text with escapes that change its length is left out.
    """
    tree = yaml.parse(text)
    root = tree.root
    if root is None:
        return _blank(text)
    parts = {span.start: (span.end, text[span.start : span.end]) for (span,) in tree.comments}
    parts |= {node.span.start: (node.span.end, _script(node, text)) for node in _commands(root)}
    for member in _variables(root):
        written = text[member.key.span.start : member.value.span.start]
        start, (_, end) = member.key.span.start, member.value.span
        value = text[member.value.span.start : end]
        if _SET.fullmatch(value) and "\n" not in written:
            parts[start] = (end, f"{member.key.value}=".rjust(len(written)) + value)
    lines: list[str] = []
    at = 0
    for start, (end, script) in sorted(parts.items()):
        if start >= at:
            lines += (_blank(text[at:start]), script)
            at = end
    return "".join([*lines, _blank(text[at:])])


def _commands(root: Node) -> Iterator[YamlNode]:
    """The texts that a shell runs."""
    for node in walk(root):
        for member in node.members:
            if member.key.value in _COMMAND:
                yield from _texts(member.value)
            elif member.key.value in _COMMANDS:
                yield from _texts(member.value)
                for item in member.value.items:
                    yield from _texts(item)
    # A task may be its command, or the list of its commands.
    tasks = root.get("tasks")
    for member in tasks.members if tasks is not None else ():
        for node in (member.value, *member.value.items):
            yield from _texts(node)


def _texts(node: Node) -> Iterator[YamlNode]:
    if isinstance(node, YamlNode) and node.text() is not None and node.content == node.span:
        yield node


def _variables(root: Node) -> Iterator[Member]:
    """The variables, each with one value."""
    for node in walk(root):
        for member in node.members:
            if member.key.value in _VARIABLES:
                yield from (
                    each
                    for each in member.value.members
                    if str(each.key.value).isidentifier() and each.value.kind == "string"
                )


def _script(node: YamlNode, text: str) -> str:
    """The text that a shell runs, of the length of `node`."""
    written = text[node.span.start : node.span.end]
    if node.style in ("|", ">"):
        head, newline, lines = written.partition("\n")
        body = _folded(lines) if node.style == ">" else lines
        return " " * len(head) + newline + as_variables(body)
    if node.style == '"':
        inner = written[1:-1]
        if _ESCAPE.search(inner):
            return _blank(written)
        # A quote that is escaped here is one for the shell; two of them are an empty text beside what is quoted.
        return " " + as_variables(inner.replace('\\"', '""').replace("\n", " ")) + " "
    if node.style == "'":
        return " " + as_variables(written[1:-1].replace("\n", " ")) + " "
    return as_variables(written.replace("\n", " "))


def _folded(lines: str) -> str:
    """The lines of a folded text, a blank in place of each end of a line that is none in its value."""
    split = lines.split("\n")
    indent = next((len(line) - len(line.lstrip(" ")) for line in split if line.strip()), 0)
    plain = [line.strip() != "" and line[indent : indent + 1] not in (" ", "\t") for line in split]
    parts = [split[0]]
    for at in range(1, len(split)):
        parts += (" " if plain[at - 1] and plain[at] else "\n", split[at])
    return "".join(parts)


def _blank(text: str) -> str:
    return "\n".join(" " * len(line) for line in text.split("\n"))

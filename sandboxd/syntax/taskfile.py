"""Turns the commands of a Taskfile into shell lines of the same length, so that positions stay those of the file.

Source: https://taskfile.dev/docs/reference/schema.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax import yaml
from sandboxd.syntax.interpolation import as_variables
from sandboxd.syntax.node import Node, walk
from sandboxd.syntax.shell import NOTHING
from sandboxd.syntax.yaml import YamlNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandboxd.syntax.node import Member

_COMMAND = ("cmd", "sh", "defer")
_COMMANDS = ("cmds", "status")
_VARIABLES = ("vars", "env")
_ESCAPE = re.compile(r"\\[^\"]")
_SET = re.compile(r"[\w./:@+,='\"-]+")


def as_shell(text: str) -> str:
    """The commands of all tasks and the comments, with blanks in place of everything else.

    Variables with a plain value are assignments. What `commands_not_in_place` yields is left out.
    """
    tree = yaml.parse(text)
    root = tree.root
    if root is None:
        return _blank(text)
    parts = {span.start: (span.end, text[span.start : span.end]) for (span,) in tree.comments}
    for node in _commands(root):
        parts[node.content.start] = (node.content.end, _script(node, text))
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


def commands_not_in_place(text: str) -> Iterator[Node]:
    """The commands of which the file does not have the characters, as it has escapes or base64 in their place.

    Each node has the text that a shell runs, with variables as in `as_shell`, and the place of the value.
    """
    if "\\" not in text and "!" not in text:
        return
    root = yaml.parse(text).root
    for node in _commands(root) if root is not None else ():
        if not _is_in_place(node, text[node.content.start : node.content.end]):
            yield Node("string", node.content, as_variables(str(node.value)))


def _commands(root: Node) -> Iterable[YamlNode]:
    """The texts that a shell runs."""
    # By identity: any number of aliases may stand for one list or text.
    lists: dict[int, Node] = {}
    nodes: dict[int, Node] = {}
    for node in walk(root):
        for member in node.members:
            value = yaml.target(member.value)
            if member.key.value in _COMMAND:
                nodes[id(value)] = value
            elif member.key.value in _COMMANDS:
                lists[id(value)] = value
    # A task may be its command, or the list of its commands.
    tasks = yaml.get(root, "tasks")
    for member in tasks.members if tasks is not None else ():
        value = yaml.target(member.value)
        lists[id(value)] = value
    for value in lists.values():
        nodes |= {id(each): each for each in (value, *map(yaml.target, value.items))}
    return [
        node for node in nodes.values() if isinstance(node, YamlNode) and node.text() is not None
    ]


def _variables(root: Node) -> Iterator[Member]:
    """The variables whose value is a plain string; those that are computed are left out."""
    for node in walk(root):
        for member in node.members:
            if member.key.value in _VARIABLES:
                yield from (
                    each
                    for each in member.value.members
                    if str(each.key.value).isidentifier() and each.value.kind == "string"
                )


def _script(node: YamlNode, text: str) -> str:
    """The text that a shell runs, of the length of the content of `node`."""
    written = text[node.content.start : node.content.end]
    if not _is_in_place(node, written):
        return _blank(written)
    if node.style in ("|", ">"):
        head, newline, lines = written.partition("\n")
        body = _folded(lines) if node.style == ">" else lines
        return " " * len(head) + newline + as_variables(body)
    if node.style in ("'", '"'):
        # A quote that takes two characters here is one for the shell.
        inner = written[1:-1].replace("\n", " ")
        inner = inner.replace('\\"' if node.style == '"' else "''", NOTHING + node.style)
        return " " + as_variables(inner) + " "
    return as_variables(written.replace("\n", " "))


def _is_in_place(node: YamlNode, written: str) -> bool:
    """Whether the value of `node` is what is `written` there, but for quotes and blanks.

    It is another one with escapes, and behind a tag for base64.
    """
    inner = written[1:-1] if node.style in ("'", '"') else written
    if node.style == '"':
        if _ESCAPE.search(inner):
            return False
        inner = inner.replace('\\"', '"')
    elif node.style == "'":
        inner = inner.replace("''", "'")
    elif node.style in ("|", ">"):
        inner = inner.partition("\n")[2]
    return inner.split() == str(node.value).split()


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

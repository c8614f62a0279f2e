"""The profiles of an AppArmor file as `model.apparmor` describes them, and changes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Place, Remove
from sandboxd.model.apparmor import AppArmorPreamble, AppArmorProfile, AppArmorRule, read_preamble
from sandboxd.model.values import Origin, Value
from sandboxd.text import Edit, Span, line_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.findings import Change
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Member, Node

_QUALIFIERS = ("deny", "allow", "audit", "quiet", "owner", "other")
_WORDS = (
    *("capability", "change_profile", "dbus", "include", "io_uring", "link", "mount", "mqueue"),
    *("network", "pivot_root", "ptrace", "remount", "rlimit", "set", "signal", "umount", "unix"),
    *("userns", "abi", "alias", "all"),
)
_INCLUDES = ("#include", "include")


def profiles(document: Document) -> Iterator[AppArmorProfile]:
    """All profiles of a file, also those within others."""
    root = document.tree.root
    if root is None:
        return
    path = document.source.path
    preamble = read_preamble(
        [
            str(item.value)
            for header, block in root.members
            if not header.value
            for item in block.items
        ]
    )
    waiting: list[tuple[Member, bool]] = [(member, False) for member in root.members]
    while waiting:
        (header, block), attached = waiting.pop(0)
        if not header.value:
            continue
        name = _name(str(header.value))
        attached = attached or _is_attached(str(header.value))
        for item in block.items:
            waiting.extend((member, attached) for member in item.members)
        if name is not None:
            profile = _profile(document, header, block, name, preamble, path)
            yield profile._replace(attached=attached)


def _profile(
    document: Document, header: Node, block: Node, name: str, preamble: AppArmorPreamble, path: str
) -> AppArmorProfile:
    at = document.source.text.find(name, header.span.start, header.span.end)
    span = Span(at, at + len(name)) if at >= 0 else header.span
    return AppArmorProfile(
        path,
        Value(name, Origin("file", path), Place(path, span), name, (header,)),
        _flags(str(header.value)),
        tuple(_rule(item, path) for item in block.items if item.kind == "string"),
        preamble,
        block,
        Place(path, header.span),
    )


def _name(header: str) -> str | None:
    """The name in a header: ``profile name /attach flags=(...)``, or only the path of a program."""
    words = header.split()
    if words[:1] == ["profile"] or words[:1] == ["hat"]:
        return words[1].strip('"') if len(words) > 1 else None
    return words[0].strip('"') if words and words[0].startswith(("/", '"', "@", "^")) else None


def _is_attached(header: str) -> bool:
    """Whether a header names a program's path, behind the name or instead of one."""
    words = header.partition("flags=")[0].split()
    return any(word.startswith(("/", '"/', "@{")) for word in words[:3])


def _flags(header: str) -> tuple[str, ...]:
    _, separator, rest = header.partition("flags=")
    if not separator:
        return ()
    inner = rest.strip().removeprefix("(").partition(")")[0]
    return tuple(flag for flag in inner.replace(",", " ").split() if flag)


def _rule(node: Node, path: str) -> AppArmorRule:
    text = str(node.value)
    value = Value(text, Origin("file", path), Place(path, node.span), text, (node,))
    words = text.split(" ")
    deny, priority = False, 0
    while words and (words[0] in _QUALIFIERS or words[0].startswith("priority=")):
        word = words.pop(0)
        deny = word == "deny" or deny
        if word.startswith("priority="):
            priority = _number(word.removeprefix("priority="))
    first = words[0] if words else ""
    rest = " ".join(words[1:])
    if first in _INCLUDES:
        return AppArmorRule("include", rest, value)
    if first in _WORDS:
        return AppArmorRule(first, rest, value, deny, priority=priority)
    if first == "file":
        words = words[1:]
        if not words:
            return AppArmorRule("file", "", value, deny, "/**", "", priority)
    return _file_rule(words, value, deny)._replace(priority=priority)


def _number(text: str) -> int:
    """The priority of a rule; 0 where `text` is no number."""
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) <= 5 else 0


def _file_rule(words: list[str], value: Value[str], deny: bool) -> AppArmorRule:
    """A rule about files: ``/path/** rw``, ``rw /path``, ``"/a b" r`` or ``/a px -> other``."""
    text = " ".join(words)
    if "->" in words:
        words = words[: words.index("->")]
    if len(words) > 1 and words[0].startswith(("/", "@", '"', "{")):
        path, permissions = " ".join(words[:-1]), words[-1]
    elif len(words) > 1:
        path, permissions = " ".join(words[1:]), words[0]
    else:
        path, permissions = text, "?"
    if path.startswith('"') and path.endswith('"'):
        path = path[1:-1]
    return AppArmorRule("file", text, value, deny, path, permissions)


def edits(
    document: Document, profile: AppArmorProfile, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`.

    A rule is added behind the last one, with its indentation; one is removed with its line.
    """
    text = document.source.text
    text_edits: list[Edit] = []
    added: list[str] = []
    for change in changes:
        if isinstance(change, Add):
            if change.field == "preamble":
                text_edits.append(Edit(Span(0, 0), change.item + document.source.line_end()))
                continue
            added.append(change.item)
            continue
        node = change.value.nodes[-1]
        if isinstance(change, Remove):
            text_edits.append(Edit(_whole(text, node.span), ""))
        else:
            text_edits.append(Edit(change.value.place.span, change.new))
    if added:
        text_edits.append(_addition(document, profile, added))
    return tuple(text_edits)


def _addition(document: Document, profile: AppArmorProfile, rules: list[str]) -> Edit:
    text, newline = document.source.text, document.source.line_end()
    block = profile.node
    closing = block.span.end - 1 if text[block.span.end - 1 : block.span.end] == "}" else None
    at = block.span.end if closing is None else closing
    line = line_start(text, at)
    indent = _indent(text, block)
    if text[line:at].strip():
        return Edit(Span(at, at), " ".join([*rules, ""]))
    return Edit(Span(line, line), "".join(f"{indent}{rule}{newline}" for rule in rules))


def _indent(text: str, block: Node) -> str:
    for item in block.items:
        line = text.rfind("\n", 0, item.span.start) + 1
        before = text[line : item.span.start]
        if not before.strip():
            return before
    return "  "


def _whole(text: str, span: Span) -> Span:
    """The span of a rule with its comma, and with its line when nothing else stands on it."""
    start, end = span
    if text[end : end + 1] == ",":
        end += 1
    line = text.rfind("\n", 0, start) + 1
    rest = text.find("\n", end)
    rest = len(text) if rest < 0 else rest + 1
    if not text[line:start].strip() and not text[end:rest].strip():
        return Span(line, rest)
    return Span(start, end)

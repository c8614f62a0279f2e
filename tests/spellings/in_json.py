"""Other spellings of JSON: with comments, and as Go reads it."""

from __future__ import annotations

import random

from sandboxd.syntax import jsonc
from sandboxd.syntax.node import Member, Node, walk
from tests.spellings.nodes import put, written


def _json_nodes(text: str) -> list[Node]:
    root = jsonc.parse(text).root
    return list(walk(root)) if root is not None else []


def _json_members(text: str) -> list[Member]:
    return [member for node in _json_nodes(text) for member in node.members]


def jsonc_escape(text: str, chance: random.Random) -> str | None:
    strings = [node for node in _json_nodes(text) if node.kind == "string" and node.value]
    strings = [node for node in strings if "\\" not in written(text, node)]
    if not strings:
        return None
    node = chance.choice(strings)
    at = chance.randrange(node.span.start + 1, node.span.end - 1)
    return f"{text[:at]}\\u{ord(text[at]):04X}{text[at + 1 :]}" if ord(text[at]) < 65536 else None


def jsonc_comment(text: str, chance: random.Random) -> str | None:
    nodes = _json_nodes(text)
    if not nodes:
        return None
    at = chance.choice(nodes).span.start
    return text[:at] + chance.choice(["/* , } */ ", '// ] "x": 1\n', "\n\t", "/**/"]) + text[at:]


def jsonc_comma(text: str, chance: random.Random) -> str | None:
    nodes = [node for node in _json_nodes(text) if node.items or node.members]
    if not nodes:
        return None
    node = chance.choice(nodes)
    last = node.items[-1] if node.items else node.members[-1].value
    if "," in text[last.span.end : node.span.end]:
        return None
    return f"{text[: last.span.end]},{text[last.span.end :]}"


def jsonc_duplicate_before(text: str, chance: random.Random) -> str | None:
    members = _json_members(text)
    if not members:
        return None
    key, _ = chance.choice(members)
    other = chance.choice(["null", "false", '""', "[]", "{}"])
    return f"{text[: key.span.start]}{written(text, key)}: {other}, {text[key.span.start :]}"


def jsonc_broken_duplicate_behind(text: str, chance: random.Random) -> str | None:
    members = _json_members(text)
    if not members:
        return None
    key, value = chance.choice(members)
    name = written(text, key)
    broken = chance.choice([f"{name} false", f"{name}:", name, f"{name}: fals", f"{name} = null"])
    return f"{text[: value.span.end]}, {broken}{text[value.span.end :]}"


# JSON as Go reads it


def go_case(text: str, chance: random.Random) -> str | None:
    keys = [member.key for member in _json_members(text) if str(member.key.value) in _GO_FIELDS]
    if not keys:
        return None
    node = chance.choice(keys)
    letters = [chance.choice([char.upper(), char.lower()]) for char in str(node.value)]
    name = "".join(letters).replace("s", chance.choice(["s", "\u017f"]))
    return put(text, node, f'"{name}"')


def go_other_case_before(text: str, chance: random.Random) -> str | None:
    """Another spelling of a text before it: the last one wins."""
    members = [
        member
        for member in _json_members(text)
        if str(member.key.value) in _GO_FIELDS and member.value.kind == "string"
    ]
    if not members:
        return None
    key, _ = chance.choice(members)
    name = str(key.value).upper()
    return f'{text[: key.span.start]}"{name}": "SCMP_ACT_KILL", {text[key.span.start :]}'


_GO_FIELDS = frozenset(
    [
        "defaultAction",
        "syscalls",
        "names",
        "name",
        "action",
        "args",
        "index",
        "value",
        "valueTwo",
        "op",
        "includes",
        "excludes",
        "caps",
        "arches",
        "minKernel",
        "architectures",
        "archMap",
        "architecture",
        "subArchitectures",
        "defaultErrnoRet",
        "errnoRet",
        "listenerPath",
        "path",
        "runtimeArgs",
        "entitlements",
        "security-insecure",
        "network-host",
    ]
)

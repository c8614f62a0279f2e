"""Other spellings of YAML, as Compose reads it."""

from __future__ import annotations

import json
import random

from sandboxd.syntax import yaml
from sandboxd.syntax.node import Member, Node, walk
from sandboxd.syntax.yaml import YamlNode
from tests.spellings.nodes import put, written


def _scalars(text: str) -> list[tuple[YamlNode, Member | None]]:
    """Values on one line without an anchor and a tag, each with the member that it is the value of."""
    root = yaml.parse(text).root
    scalars: list[tuple[YamlNode, Member | None]] = []
    for node in walk(root) if root is not None else ():
        children: list[tuple[Node, Member | None]] = [(item, None) for item in node.items]
        children += [(member.value, member) for member in node.members]
        for child, member in children:
            if isinstance(child, YamlNode) and _is_bare(child, text):
                scalars.append((child, member))
    return scalars


def _is_bare(node: Node, text: str) -> bool:
    return (
        isinstance(node, YamlNode)
        and node.kind in ("string", "number", "boolean")
        and node.style in ("", "'", '"')
        and node.content == node.span
        and node.span.end > node.span.start
        and "\n" not in text[node.span.start : node.span.end]
    )


def _value(text: str, chance: random.Random) -> YamlNode | None:
    nodes = [node for node, _ in _scalars(text)]
    return chance.choice(nodes) if nodes else None


def _key(text: str, chance: random.Random) -> Node | None:
    root = yaml.parse(text).root
    keys = [
        member.key
        for node in (walk(root) if root is not None else ())
        for member in node.members
        if member.key.value != "<<" and _is_bare(member.key, text)
    ]
    return chance.choice(keys) if keys else None


def yaml_anchor(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance)
    if node is None:
        return None
    return put(text, node, f"&m{chance.randrange(10**6)} {written(text, node)}")


def yaml_tag(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance)
    if node is None:
        return None
    core = {"string": "!!str", "boolean": "!!bool", "number": "!!int"}[node.kind]
    return put(text, node, f"{chance.choice([core, '!own', '!override'])} {written(text, node)}")


def yaml_alias(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance) if chance.random() < 0.7 else _key(text, chance)
    if node is None or text.startswith(("---", "%", "{", " ")):
        return None
    name = f"m{chance.randrange(10**6)}"
    anchored = f"x-{name}: &{name} {written(text, node)}\n"
    return anchored + put(text, node, f"*{name} ")


def yaml_quotes(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance) if chance.random() < 0.6 else _key(text, chance)
    if node is None or node.kind != "string" or not node.value:
        return None
    value = str(node.value)
    double, escaped = json.dumps(value), json.dumps(value[1:])
    single = "'" + value.replace("'", "''") + "'"
    return put(text, node, chance.choice([double, single, f'"\\x{ord(value[0]):02x}{escaped[1:]}']))


def yaml_key_properties(text: str, chance: random.Random) -> str | None:
    node = _key(text, chance)
    before = chance.choice([f"&k{chance.randrange(10**6)}", "!!str"])
    if node is None:
        return None
    return put(text, node, f"{before} {written(text, node)}")


def yaml_comment(text: str, chance: random.Random) -> str | None:
    ends = [
        n.span.end for n, _ in _scalars(text) if text[n.span.end : n.span.end + 1] in ("", "\n")
    ]
    if not ends:
        return None
    at = chance.choice(ends)
    return f"{text[:at]} # {chance.choice(['why', 'a: b', '&x *y'])}{text[at:]}"


def yaml_next_line(text: str, chance: random.Random) -> str | None:
    places = [(node, member) for node, member in _scalars(text) if member is not None]
    if not places:
        return None
    node, member = chance.choice(places)
    assert member is not None
    column = member.key.span.start - (text.rfind("\n", 0, member.key.span.start) + 1)
    return put(text, node, f"\n{' ' * (column + 4)}{written(text, node)}")


def yaml_merge(text: str, chance: random.Random) -> str | None:
    """One member of an object comes in by `<<`."""
    members = [member for _, member in _scalars(text) if member is not None]
    members = [member for member in members if "<<" not in str(member.key.value)]
    if not members:
        return None
    key, value = chance.choice(members)
    inner = text[key.span.start : value.span.end]
    return f"{text[: key.span.start]}<<: {{ {inner} }}{text[value.span.end :]}"


def yaml_extends(text: str, chance: random.Random) -> str | None:
    """A service in lines becomes one that extends another which holds all that it says."""
    root = yaml.parse(text).root
    table = yaml.get(root, "services")
    plain = [
        member
        for member in (table.members if table is not None else ())
        if member.value.kind == "object"
        and not getattr(member.value, "flow", True)
        and not getattr(member.value, "tag", "")
    ]
    if not plain:
        return None
    key, _ = chance.choice(plain)
    column = key.span.start - (text.rfind("\n", 0, key.span.start) + 1)
    head = f"{written(text, key)}: {{ extends: zz }}\n{' ' * column}zz"
    return text[: key.span.start] + head + text[key.span.end :]

"""Other spellings of a text that keep what it means, to see whether a finding depends on one.

A spelling may turn out to mean something else (a plain text that a bracket ends, a key that may not be
merged): the real readers are asked before it is used, see tests/integration/test_spellings.py.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

from sandboxd.syntax import apparmor, dockerfile, jsonc, yaml
from sandboxd.syntax.node import Member, Node, walk
from sandboxd.syntax.yaml import YamlNode

Spelling = Callable[[str, random.Random], str | None]
"""A text in another spelling; None where it has no place for it."""


def respelled(text: str, language: str, chance: random.Random, steps: int = 2) -> str:
    """`text` with some other spellings, `text` itself where there are none."""
    spellings = BY_LANGUAGE[language]
    for _ in range(steps):
        for spelling in chance.sample(spellings, len(spellings)):
            changed = spelling(text, chance)
            if changed is not None:
                text = changed
                break
    return text


# YAML


def _scalars(text: str) -> list[tuple[YamlNode, Member | None]]:
    """Values on one line without an anchor and a tag, each with the member that it is the value of."""
    root = yaml.parse(text).root
    found: list[tuple[YamlNode, Member | None]] = []
    for node in walk(root) if root is not None else ():
        children = [(item, None) for item in node.items]
        children += [(member.value, member) for member in node.members]
        found += [(child, member) for child, member in children if _is_bare(child, text)]
    return found


def _is_bare(node: Node, text: str) -> bool:
    return (
        isinstance(node, YamlNode)
        and node.kind in ("string", "number", "boolean")
        and node.style in ("", "'", '"')
        and node.content == node.span
        and node.span.end > node.span.start
        and "\n" not in text[node.span.start : node.span.end]
    )


def _put(text: str, node: Node, new: str) -> str:
    return text[: node.span.start] + new + text[node.span.end :]


def _written(text: str, node: Node) -> str:
    return text[node.span.start : node.span.end]


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
    return node and _put(text, node, f"&m{chance.randrange(10**6)} {_written(text, node)}")


def yaml_tag(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance)
    if node is None:
        return None
    core = {"string": "!!str", "boolean": "!!bool", "number": "!!int"}[node.kind]
    return _put(text, node, f"{chance.choice([core, '!own', '!override'])} {_written(text, node)}")


def yaml_alias(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance) if chance.random() < 0.7 else _key(text, chance)
    if node is None or text.startswith(("---", "%", "{", " ")):
        return None
    name = f"m{chance.randrange(10**6)}"
    anchored = f"x-{name}: &{name} {_written(text, node)}\n"
    return anchored + _put(text, node, f"*{name} ")


def yaml_quotes(text: str, chance: random.Random) -> str | None:
    node = _value(text, chance) if chance.random() < 0.6 else _key(text, chance)
    if node is None or node.kind != "string" or not node.value:
        return None
    value = str(node.value)
    double, escaped = json.dumps(value), json.dumps(value[1:])
    single = "'" + value.replace("'", "''") + "'"
    return _put(
        text, node, chance.choice([double, single, f'"\\x{ord(value[0]):02x}{escaped[1:]}'])
    )


def yaml_key_properties(text: str, chance: random.Random) -> str | None:
    node = _key(text, chance)
    before = chance.choice([f"&k{chance.randrange(10**6)}", "!!str"])
    return node and _put(text, node, f"{before} {_written(text, node)}")


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
    return _put(text, node, f"\n{' ' * (column + 4)}{_written(text, node)}")


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
    head = f"{_written(text, key)}: {{ extends: zz }}\n{' ' * column}zz"
    return text[: key.span.start] + head + text[key.span.end :]


# JSON with comments


def _json_nodes(text: str) -> list[Node]:
    root = jsonc.parse(text).root
    return list(walk(root)) if root is not None else []


def _json_members(text: str) -> list[Member]:
    return [member for node in _json_nodes(text) for member in node.members]


def jsonc_escape(text: str, chance: random.Random) -> str | None:
    strings = [node for node in _json_nodes(text) if node.kind == "string" and node.value]
    strings = [node for node in strings if "\\" not in _written(text, node)]
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
    return f"{text[: key.span.start]}{_written(text, key)}: {other}, {text[key.span.start :]}"


def jsonc_broken_duplicate_behind(text: str, chance: random.Random) -> str | None:
    members = _json_members(text)
    if not members:
        return None
    key, value = chance.choice(members)
    name = _written(text, key)
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
    return _put(text, node, f'"{name}"')


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


# Dockerfiles


def _instructions(text: str) -> list[dockerfile.Instruction]:
    root = dockerfile.parse(text).root
    assert isinstance(root, dockerfile.DockerfileNode)
    return [] if "escape" in root.directives else root.instructions


def _is_comment(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 :].lstrip()
    return line.startswith("#")


def dockerfile_keyword(text: str, chance: random.Random) -> str | None:
    found = _instructions(text)
    if not found:
        return None
    start = chance.choice(found).span.start
    match = re.compile(r"[A-Za-z]+").match(text, start)
    if match is None:
        return None
    word = "".join(chance.choice([char.upper(), char.lower()]) for char in match[0])
    blanks = chance.choice([" ", "\t", "  "]) if text[start - 1 : start] in ("", "\n") else ""
    return text[:start] + blanks + word + text[match.end() :]


def dockerfile_continued(text: str, chance: random.Random) -> str | None:
    """A line is broken behind a blank, with a comment or an empty line between."""
    found = [one for one in _instructions(text) if not one.heredocs]
    if not found:
        return None
    start, end = chance.choice(found).span
    blanks = [
        at
        for at in range(start, end)
        if text[at] == " " and text[at - 1] not in " \\" and not _is_comment(text, at)
    ]
    if not blanks:
        return None
    at = chance.choice(blanks) + 1
    between = chance.choice(["\\\n", "\\  \n", "\\\n# a comment \\\n", "\\\n\n"])
    return text[:at] + between + text[at:]


def dockerfile_inside_a_word(text: str, chance: random.Random) -> str | None:
    """A line is broken within a word."""
    found = [one for one in _instructions(text) if not one.heredocs]
    if not found:
        return None
    start, end = chance.choice(found).span
    places = [
        at
        for at in range(start + 1, end)
        if text[at - 1 : at + 1].isalnum() and not _is_comment(text, at)
    ]
    if not places:
        return None
    at = chance.choice(places)
    return f"{text[:at]}\\\n{text[at:]}"


def dockerfile_flag(text: str, chance: random.Random) -> str | None:
    """A flag with a quote or a backslash that its reader takes off."""
    flags = [flag for one in _instructions(text) for flag in one.flags if "=" in flag.value]
    flags = [flag for flag in flags if text[slice(*flag.span)] == flag.value]
    if not flags:
        return None
    start, end = chance.choice(flags).span
    at = chance.randrange(start + 3, end)
    if not text[at].isalnum():
        return None
    new = chance.choice([f"\\{text[at]}", f'"{text[at]}"', f"'{text[at]}'"])
    return text[:at] + new + text[at + 1 :]


# AppArmor


def _rules(text: str) -> list[Node]:
    root = apparmor.parse(text).root
    nodes = walk(root) if root is not None else iter(())
    return [node for node in nodes if node.kind == "string" and node.span.end > node.span.start]


def apparmor_blanks(text: str, chance: random.Random) -> str | None:
    places = [
        at
        for node in _rules(text)
        for at in range(*node.span)
        if text[at] == " "
        and not text.startswith("include", node.span.start + (text[node.span.start] == "#"))
    ]
    if not places:
        return None
    at = chance.choice(places)
    return text[:at] + chance.choice(["   ", "\t", "\n      "]) + text[at + 1 :]


def apparmor_comment(text: str, chance: random.Random) -> str | None:
    places = [match.start() for match in re.finditer(r"(?<=[,{])\n", text)]
    if not places:
        return None
    at = chance.choice(places)
    return f"{text[:at]} # {chance.choice(['why', 'deny /x r,', '}'])}{text[at:]}"


def apparmor_quotes(text: str, chance: random.Random) -> str | None:
    paths = list(re.finditer(r'(?<=\s)[/@][^\s"#,{}]+(?=\s+[a-z]+,)', text))
    if not paths:
        return None
    match = chance.choice(paths)
    return f'{text[: match.start()]}"{match[0]}"{text[match.end() :]}'


BY_LANGUAGE: dict[str, tuple[Spelling, ...]] = {
    "compose": (
        yaml_anchor, yaml_tag, yaml_alias, yaml_quotes, yaml_key_properties, yaml_comment,
        yaml_next_line, yaml_merge, yaml_extends,
    ),
    "devcontainer": (
        jsonc_escape, jsonc_comment, jsonc_comma, jsonc_duplicate_before,
        jsonc_broken_duplicate_behind,
    ),
    "seccomp": (go_case, go_other_case_before, jsonc_escape),
    "daemon_json": (go_case, jsonc_escape),
    "dockerfile": (
        dockerfile_keyword, dockerfile_continued, dockerfile_inside_a_word, dockerfile_flag,
    ),
    "apparmor": (apparmor_blanks, apparmor_comment, apparmor_quotes),
}  # fmt: skip

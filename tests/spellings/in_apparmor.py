"""Other spellings of an AppArmor profile."""

from __future__ import annotations

import random
import re

from sandboxd.syntax import apparmor
from sandboxd.syntax.node import Node, walk


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

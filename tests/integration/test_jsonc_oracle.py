"""What jsonc-parser reads, by which the dev container CLI reads, is what we read.

`SANDBOXD_MUTATIONS=20` tries twenty times as many texts, from other seeds.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from sandboxd.syntax import jsonc
from sandboxd.syntax.node import plain
from tests import readers
from tests.spellings import respelled
from tests.unit.syntax.test_jsonc import BROKEN

pytestmark = pytest.mark.node

TEXTS = 300 * int(os.environ.get("SANDBOXD_MUTATIONS", "1"))
Parse = Callable[[list[str]], list[tuple[Any, int]]]
_KEYS = ("image", "privileged", "runArgs", "a b", "é", "\\", '"')
# What a person leaves behind while typing, or an attacker to be misread.
_DAMAGE = (
    '"privileged" false',
    '"privileged":',
    "privileged: false",
    "'privileged': 0",
    "nope",
    ",",
    "#",
    "",
)


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    return readers.jsonc_parser(tmp_path_factory)


def ours(text: str) -> Any:
    root = jsonc.parse(text).root
    return None if root is None else plain(root)


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 3 else 6)
    if kind < 6:
        return chance.choice(
            [True, False, None, 0, -1.5e3, "x", "", "é\u2028\n\t", "𝒳", "--privileged", "//"]
        )
    if kind == 6:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(_KEYS): _value(chance, depth + 1) for _ in range(chance.randrange(4))}


def _document(chance: random.Random) -> str:
    table = {chance.choice(_KEYS): _value(chance) for _ in range(5)} | {"privileged": True}
    indent = chance.choice([None, 1, "\t"])
    return json.dumps(table, ensure_ascii=chance.random() < 0.5, indent=indent)


def test_texts_with_comments_escapes_duplicates_and_commas(parse: Parse) -> None:
    texts = []
    for number in range(TEXTS):
        chance = random.Random(number)
        texts.append(respelled(_document(chance), "devcontainer", chance, 4))
    sound = 0
    for text, (value, errors) in zip(texts, parse(texts), strict=True):
        assert ours(text) == value, text
        if not errors:
            sound += 1
            assert all(p.code == "duplicate-key" for p in jsonc.parse(text).problems), text
    assert sound > TEXTS / 5


def test_a_setting_that_it_keeps_from_a_damaged_text_is_never_hidden(parse: Parse) -> None:
    texts = []
    for number in range(TEXTS):
        chance = random.Random(number)
        members = ['"privileged": true', '"init": false', '"name": "x"']
        for _ in range(chance.randint(1, 2)):
            members.insert(chance.randint(0, len(members)), chance.choice(_DAMAGE))
        texts.append(
            "{"
            + chance.choice([", ", ",\n  "]).join(members)
            + chance.choice(["}", "", "}}", ",}"])
        )
    broken = 0
    for text, (value, errors) in zip(texts, parse(texts), strict=True):
        broken += bool(errors)
        if isinstance(value, dict) and value.get("privileged"):
            assert ours(text).get("privileged") == value["privileged"], text
    assert broken > TEXTS / 2


@pytest.mark.parametrize("broken", BROKEN)
def test_the_reader_passes_over_a_broken_member(parse: Parse, broken: str) -> None:
    ((value, errors),) = parse([f'{{"p": true, {broken}}}'])
    assert errors and value["p"] is True

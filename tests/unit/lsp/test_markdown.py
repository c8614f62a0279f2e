"""A repository's words in a hover stay words."""

from __future__ import annotations

import json
import re

import pytest

from sandboxd.lsp.markdown import inert
from tests.unit.lsp.talk import Client, at

URI = "file:///p/.devcontainer/devcontainer.json"
EVIL = "SYS_ADMIN` ![x](https://evil.example/x.png) <img src=y> [Trust](command:sandboxd.trust) `"


def test_what_is_only_words_keeps_its_form() -> None:
    assert inert("`debian:12` is *not* pinned") == "`debian:12` is *not* pinned"


@pytest.mark.parametrize(
    "text", ["![x](y)", "a <b>", "see https://x.example", "www.x.example", "[a]"]
)
def test_what_would_be_more_than_words_is_shown_as_it_is(text: str) -> None:
    shown = inert(text)
    assert re.sub(r"\\(.)", r"\1", shown) == text
    assert not re.search(r"(?<!\\)[\[<]|://|www\.", shown.replace("\\:", "").replace("\\.", ""))


@pytest.mark.asyncio
async def test_a_value_that_ends_its_code_span_draws_no_image() -> None:
    client = Client()
    client.open(URI, f'{{\n  "image": "debian",\n  "capAdd": [{json.dumps(EVIL)}]\n}}\n')
    where = {"textDocument": {"uri": URI}, "position": at(2, 16)}
    found = (await client.ask("textDocument/hover", where))["result"]["contents"]["value"]
    assert "evil.example" in found
    assert not re.search(r"(?<!\\)!\[|(?<!\\)<img|(?<!\\)\[Trust", found)

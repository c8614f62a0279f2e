"""A repository's words in a hover stay words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandboxd.markup import in_markdown
from tests.unit.lsp.talk import Client, at

URI = "file:///p/.devcontainer/devcontainer.json"
EVIL = "SYS_ADMIN` ![x](https://evil.example/x.png) <img src=y> [Trust](command:sandboxd.trust) `"


def test_what_is_only_words_keeps_its_form() -> None:
    assert in_markdown("`debian:12` is *not* pinned") == "`debian:12` is *not* pinned"


@pytest.mark.parametrize(
    "text", ["![x](y)", "a <b>", "see https://x.example", "www.x.example", "[a]"]
)
def test_what_would_be_more_than_words_is_shown_as_it_is(text: str) -> None:
    shown = in_markdown(text)
    assert re.sub(r"\\(.)", r"\1", shown) == text
    assert not re.search(r"(?<!\\)[\[<]|://|www\.", shown.replace("\\:", "").replace("\\.", ""))


@pytest.mark.asyncio
async def test_a_value_that_ends_its_code_span_draws_no_image() -> None:
    client = Client()
    client.open(URI, f'{{\n  "image": "debian",\n  "capAdd": [{json.dumps(EVIL)}]\n}}\n')
    where = {"textDocument": {"uri": URI}, "position": at(2, 16)}
    markdown = (await client.ask("textDocument/hover", where))["result"]["contents"]["value"]
    assert "evil.example" in markdown
    assert not re.search(r"(?<!\\)!\[|(?<!\\)<img|(?<!\\)\[Trust", markdown)


LINK = "[Repair](command:workbench.action.terminal.new)"
COMMANDS = (
    "sandboxd.generate",
    "sandboxd.up",
    "sandboxd.verify",
    "sandboxd.explain",
    "sandboxd.trust",
)


def texts(value: object) -> list[str]:
    """Every text in a message that can be shown: `data` comes back to us as it is."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [part for key, part in value.items() if key != "data"]
    return [text for part in value for text in texts(part)] if isinstance(value, list) else []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("sandboxd.toml", f'image = "debian:12"\nprofile = "{LINK}"\n', "profile"),
        ("sandboxd.toml", f'image = "{LINK}"\nruntime = "runc"\n', "image"),
        ("sandboxd.toml", f'image = "a"\n[environment]\n"{LINK}" = "x"\n', "environment"),
        (".devcontainer.json", f'{{"image": "{LINK}", "capAdd": ["{LINK}"]}}', "capAdd"),
    ],
)
async def test_no_surface_of_the_session_shows_a_link(
    tmp_path: Path, name: str, text: str, word: str
) -> None:
    """All that it says, whatever is asked: findings, messages, errors, progress, hovers, lenses."""
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / "sandboxd.toml").write_text('image = "debian:12"\n')
    (workspace / name).write_text(text)
    uri = (workspace / name).as_uri()
    environ = {"HOME": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/none"}
    client = Client({"window": {"workDoneProgress": True}}, environ=environ)
    client.open(uri, text, language="toml" if name.endswith("toml") else "jsonc")
    document = {"textDocument": {"uri": uri}}
    offset = text.index(word)
    line = text.count("\n", 0, offset)
    column = offset - (text.rfind("\n", 0, offset) + 1)
    for character in (column + 1, column + len(word) + 6):
        await client.ask("textDocument/hover", {**document, "position": at(line, character)})
    await client.ask("textDocument/codeLens", document)
    answered: set[object] = set()
    for command in COMMANDS:
        client._next += 1
        number = client._next
        params = {"command": command, "arguments": [uri], "workDoneToken": command}
        client.say("workspace/executeCommand", params, number)
        await _answer_all(client, number, answered)
    shown_texts = [text for message in client.messages for text in texts(message)]
    assert any("Repair" in text for text in shown_texts), (
        "nothing of it is shown: the test shows nothing"
    )
    links = [text for text in shown_texts if re.search(r"(?<!\\)\]\(command:", text)]
    assert links == []


async def _answer_all(client: Client, number: int, answered: set[object]) -> None:
    """Agree to every question until the request `number` is answered."""
    while True:
        request = await client.until(
            lambda m: (
                (m.get("id") == number and "method" not in m)
                or ("method" in m and "id" in m and m["id"] not in answered)
            )
        )
        if "method" not in request:
            return
        answered.add(request["id"])
        actions = (request.get("params") or {}).get("actions") or [None]
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": actions[0]}
        client.session.protocol.receive(json.dumps(answer).encode())

"""The network by name in an editor: asked about once, bounded, and nothing answered without a click."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sandboxd.egress.ledger import Question, Totals
from sandboxd.egress.names import pattern
from sandboxd.lsp.features.names import ALWAYS, FOR_AN_HOUR, MOST_IN_A_MINUTE, NEVER
from sandboxd.lsp.surroundings import Surroundings
from sandboxd.policy import approvals
from sandboxd.status.model import DeniedName, NamesStatus, ProjectStatus
from tests.patience import until
from tests.unit.lsp.talk import Client

CONFIG = 'profile = "dev"\n\n[network]\nmode = "allow"\nallow = ["pypi", "a.example.org:22"]\n'
ASKS = "window/showMessageRequest"
SHOWS = "window/showMessage"
NOTHING = NamesStatus((), True)
CAN_ASK = {"window": {"showMessage": {"messageActionItem": {}}}}


def denied(
    name: str, reason: str = "no-rule", command: str = "sandboxd egress allow x"
) -> DeniedName:
    return DeniedName(name, 443, reason, "no rule names it", 1.0, command)


class Editor:
    """A client with an open sandboxd.toml, whose project's status can be set."""

    def __init__(
        self,
        folder: Path,
        capabilities: Any = CAN_ASK,
        names: NamesStatus = NOTHING,
    ) -> None:
        self.workspace = folder / "app"
        self.workspace.mkdir()
        self.config = self.workspace / "sandboxd.toml"
        self.config.write_text(CONFIG)
        self.environ = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
        self.names = names
        self.number = 100
        self.client = Client(
            capabilities,
            environ=self.environ,
            surroundings=Surroundings(status=lambda _: self.status()),
        )
        document = {"uri": self.config.as_uri(), "languageId": "toml", "version": 1, "text": CONFIG}
        self.client.say("textDocument/didOpen", {"textDocument": document})
        self.client.session.context.refresh()

    def status(self) -> ProjectStatus:
        return ProjectStatus(str(self.workspace), "running", names=self.names)

    def happens(
        self, *names: DeniedName, questions: tuple[Question, ...] = (), **more: int
    ) -> None:
        self.names = NamesStatus((), True, Totals(len(names), **more), names, questions)
        self.client.session.context.refresh()

    def of(self, method: str) -> list[Any]:
        return [m for m in self.client.messages if m.get("method") == method]

    def texts(self, method: str) -> list[str]:
        return [message["params"]["message"] for message in self.of(method)]

    async def asked(self, count: int = 1) -> Any:
        await until(lambda: len(self.of(ASKS)) >= count)
        return self.of(ASKS)[count - 1]

    def answer(self, request: Any, title: str | None) -> None:
        result = {"title": title} if title is not None else None
        message = {"jsonrpc": "2.0", "id": request["id"], "result": result}
        self.client.session.protocol.receive(json.dumps(message).encode())

    async def request(self, method: str, params: Any) -> Any:
        self.number += 1
        number = self.number
        self.client.say(method, params, number)
        return (await self.client.until(lambda m: m.get("id") == number))["result"]

    async def hover(self, word: str) -> Any:
        before = CONFIG[: CONFIG.index(word) + 1]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        position = {"line": line, "character": column}
        params = {"textDocument": {"uri": self.config.as_uri()}, "position": position}
        return await self.request("textDocument/hover", params)

    def approved(self) -> list[tuple[str, bool]]:
        answers = approvals.of_project(self.environ, str(self.workspace), time.time())
        return [(str(answer.pattern), answer.allows) for answer in answers]


@pytest.mark.asyncio
async def test_a_denial_is_asked_about_with_its_name_in_full(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    name = "a-long-label." * 15 + "example.org"
    editor.happens(denied(name))
    request = await editor.asked()
    message = request["params"]["message"]
    assert f"`{name}` at port 443 (no rule names it)" in message
    assert "whatever runs inside may do anything there" in message
    titles = [action["title"] for action in request["params"]["actions"]]
    assert titles == [FOR_AN_HOUR, ALWAYS, NEVER]
    assert editor.approved() == []


@pytest.mark.asyncio
async def test_each_answer_does_what_it_says(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    editor.happens(denied("hour.example.org"))
    editor.answer(await editor.asked(1), FOR_AN_HOUR)
    await until(lambda: editor.texts(SHOWS))
    (answer,) = approvals.of_project(editor.environ, str(editor.workspace), time.time())
    assert (answer.pattern, answer.by) == (pattern("hour.example.org"), "editor")
    assert 3500 < answer.until - time.time() <= 3600
    editor.happens(denied("never.example.org"))
    editor.answer(await editor.asked(2), NEVER)
    await until(lambda: len(editor.texts(SHOWS)) == 2)
    assert ("never.example.org", False) in editor.approved()
    editor.happens(denied("always.example.org"))
    editor.answer(await editor.asked(3), ALWAYS)
    await until(lambda: len(editor.texts(SHOWS)) == 3)
    assert '"always.example.org"' in editor.config.read_text()
    assert "sandboxd trust add" in editor.texts(SHOWS)[-1]


@pytest.mark.asyncio
@pytest.mark.parametrize("title", [None, "Yes", "allow for this project for 1 h"])
async def test_any_other_answer_does_nothing(tmp_path: Path, title: str | None) -> None:
    editor = Editor(tmp_path)
    editor.happens(denied("a.example.org"))
    editor.answer(await editor.asked(), title)
    editor.happens(denied("b.example.org"))
    await editor.asked(2)
    assert editor.approved() == []
    assert editor.config.read_text() == CONFIG


@pytest.mark.asyncio
async def test_the_floor_wins_over_a_click(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    policy = tmp_path / "config/sandboxd/policy.toml"
    policy.parent.mkdir(parents=True)
    policy.write_text("trust = false\n")
    editor.happens(denied("a.example.org"))
    editor.answer(await editor.asked(), FOR_AN_HOUR)
    await until(lambda: editor.texts(SHOWS))
    assert "forbids grants" in editor.texts(SHOWS)[0]
    assert editor.approved() == []


@pytest.mark.asyncio
async def test_a_flood_is_one_number(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    for number in range(50):
        editor.happens(denied(f"n{number}.example.org"))
    for count in range(1, MOST_IN_A_MINUTE + 1):
        editor.answer(await editor.asked(count), None)
    editor.happens(denied("one-more.example.org"))
    assert (await editor.hover("pypi"))["contents"]
    assert len(editor.of(ASKS)) == MOST_IN_A_MINUTE


@pytest.mark.asyncio
async def test_a_name_is_asked_about_once(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    editor.happens(denied("a.example.org"))
    editor.answer(await editor.asked(), None)
    editor.happens(denied("a.example.org"), reached=5)
    editor.happens(denied("b.example.org"), denied("a.example.org"))
    assert "`b.example.org`" in (await editor.asked(2))["params"]["message"]


@pytest.mark.asyncio
async def test_what_nobody_can_allow_is_not_asked_about_and_a_tripwire_is_a_warning(
    tmp_path: Path,
) -> None:
    editor = Editor(tmp_path)
    editor.happens(denied("x.internal", "canary", ""), denied("y.org", "address", ""), tripwires=1)
    await until(lambda: editor.texts(SHOWS))
    (warning,) = editor.of(SHOWS)
    assert warning["params"]["type"] == 2 and "tripwire" in warning["params"]["message"]
    assert editor.of(ASKS) == []


@pytest.mark.asyncio
async def test_hostile_words_make_no_button_and_no_line(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    why = "[click](command:evil)\n\nAllowed already\x1b[2J" + "y" * 500
    editor.happens(questions=(Question(1, "a.example.org", 443, why, 1.0),))
    message = (await editor.asked())["params"]["message"]
    assert "](" not in message and "\n" not in message and "\x1b" not in message
    assert len(message) < 600


@pytest.mark.asyncio
async def test_what_was_denied_before_is_for_the_log_and_a_question_waits(tmp_path: Path) -> None:
    asked = Question(1, "q.example.org", 443, "please", 1.0)
    names = NamesStatus((), True, Totals(1), (denied("old.example.org"),), (asked,))
    editor = Editor(tmp_path, names=names)
    assert "`q.example.org`" in (await editor.asked())["params"]["message"]
    editor.answer(editor.of(ASKS)[0], None)
    editor.happens(denied("old.example.org"), denied("new.example.org"))
    assert "`new.example.org`" in (await editor.asked(2))["params"]["message"]


@pytest.mark.asyncio
async def test_a_client_that_cannot_ask_is_told_the_command(tmp_path: Path) -> None:
    editor = Editor(tmp_path, {})
    editor.happens(denied("a.example.org"))
    await until(lambda: editor.texts(SHOWS))
    assert "`a.example.org`" in editor.texts(SHOWS)[0]
    assert "sandboxd egress log" in editor.texts(SHOWS)[0]
    assert editor.of(ASKS) == []


@pytest.mark.asyncio
async def test_the_lens_counts_and_leads_to_the_answers(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    editor.happens(denied("a.example.org"))
    editor.answer(await editor.asked(), None)
    params = {"textDocument": {"uri": editor.config.as_uri()}}
    lenses = await editor.request("textDocument/codeLens", params)
    (lens,) = [each for each in lenses if "denied" in each["command"]["title"]]
    assert lens["command"]["title"] == "1 denied: show"
    assert lens["range"]["start"]["line"] == CONFIG.split("\n").index("[network]")
    command = {"command": lens["command"]["command"], "arguments": lens["command"]["arguments"]}
    editor.client.say("workspace/executeCommand", command, 51)
    editor.answer(await editor.asked(2), "a.example.org")
    editor.answer(await editor.asked(3), NEVER)
    done = await editor.client.until(lambda m: m.get("id") == 51)
    assert done["result"] == ["a.example.org"]
    assert editor.approved() == [("a.example.org", False)]


@pytest.mark.asyncio
async def test_a_hover_shows_the_hosts_of_a_group_with_their_sources(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    page = (await editor.hover("pypi"))["contents"]["value"]
    assert "packages of Python" in page
    assert "| 443 | the index | [page](https://" in page
    host = (await editor.hover("a.example.org"))["contents"]["value"]
    assert "`a.example.org` at port 22: whatever runs inside" in host

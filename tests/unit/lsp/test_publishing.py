"""What is published of the open texts: always something, and nothing of a text that is closed."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd import formats
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import convert, judgements
from tests.patience import PATIENCE, until
from tests.unit.lsp.talk import PUBLISH, Client, at

WEAK = '{\n  "image": "x",\n  "privileged": true,\n  "capAdd": ["SYS_ADMIN"]\n}\n'
URI = "file:///nowhere/.devcontainer/devcontainer.json"


@pytest.mark.asyncio
async def test_a_file_that_sandboxd_fails_on_is_not_shown_as_clean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(formats.get("devcontainer"), "containers", explode)
    client = Client()
    client.open(URI, WEAK)
    answer = client.published(URI)[-1]["diagnostics"]
    assert [
        d["message"] for d in answer if "not checked" in d["message"] and "oops" in d["message"]
    ]


@pytest.mark.asyncio
async def test_what_cannot_be_published_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that waits for a publication must get one."""

    def explode(*_: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(convert, "diagnostic", explode)
    client = Client()
    client.open(URI, WEAK)
    (message,) = client.published(URI)[-1]["diagnostics"]
    assert "oops" in message["message"]


@pytest.mark.asyncio
async def test_a_large_text_that_was_closed_is_not_spoken_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, judged = threading.Event(), threading.Event()

    def explode(*_: Any) -> Any:
        assert closed.wait(PATIENCE)
        judged.set()
        raise ZeroDivisionError("oops")

    client = Client()
    client.open(URI, WEAK)
    monkeypatch.setattr(formats.get("devcontainer"), "containers", explode)
    client.change(URI, WEAK + " " * judgements.LARGE, 2)
    running = client.session.context._tasks
    await until(lambda: running)
    client.say("textDocument/didClose", {"textDocument": {"uri": URI}})
    closed.set()
    await until(lambda: judged.is_set() and not running)
    assert client.published(URI)[-1]["diagnostics"] == []


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "large", "host", "close", "hover", "project"]),
        st.integers(0, 80),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(_STEPS)
def test_the_last_version_is_published_whatever_happens(steps: list[tuple[str, int]]) -> None:
    async def converse() -> None:
        client = Client()
        version = 1
        client.open(URI, WEAK)
        for number, (step, milliseconds) in enumerate(steps):
            version += 1
            if step == "change":
                client.change(URI, WEAK + " " * (number % 2), version)
            elif step == "large":
                client.change(URI, WEAK + " " * 70_000, version)
            elif step == "close":
                client.say("textDocument/didClose", {"textDocument": {"uri": URI}})
                client.open(URI, WEAK, version)
            else:
                version -= 1
                if step == "host":
                    client.session.set_host(HostFacts(kernel=str(number)))
                elif step == "project":
                    client.session.project_changed("/nowhere")
                else:
                    where = {"textDocument": {"uri": URI}, "position": at(2, 5)}
                    client.say("textDocument/hover", where, 1000 + number)
            await asyncio.sleep(milliseconds / 1000)
        await client.until(
            lambda m: m.get("method") == PUBLISH and m["params"].get("version") == version
        )
        client.session.context.close()

    asyncio.run(converse())

"""An operation can be cancelled from its request on, however busy the daemon is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd import operations
from sandboxd.daemon.operating import Operating
from sandboxd.daemon.places import Place, Places
from sandboxd.host.facts import HostFacts
from sandboxd.ipc import messages
from sandboxd.ipc.server import Connection, Refused
from sandboxd.operations.request import Request
from sandboxd.status.observe import Sandbox
from tests.patience import PATIENCE, until

VIEW = {"directory": "/w", "device": 1, "inode": 2, "folders": {}}
CLIENT = cast(
    "Connection", SimpleNamespace(hello={"engine": {}, "cwd": "/"}, notify=lambda *_args: None)
)


class SlowHosts:
    """A host whose facts are not known before `known` is set."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self.is_asked = False

    async def facts(self, _key: object, _seconds: float) -> HostFacts | None:
        self.is_asked = True
        await self.known.wait()
        return HostFacts()

    def environ(self, _key: object) -> dict[str, str]:
        return {}

    def key(self, *_args: object) -> str:
        return "engine"

    @contextlib.contextmanager
    def operated(self, _key: object) -> Iterator[None]:
        yield


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the only operation there is notes: `began`, and `ended` once it was cancelled."""
    notes: list[str] = []

    def serve(request: Request) -> None:
        notes.append("began")
        cancel = request.cancel
        assert cancel is not None
        while True:
            cancel.check()
            threading.Event().wait(0.005)

    operation = SimpleNamespace(NEEDS_FACTS=True, serve=serve)
    monkeypatch.setattr(operations, "load", lambda _name: operation)
    monkeypatch.setattr("sandboxd.daemon.operating.compare", lambda _view, _environ: None)
    monkeypatch.setattr("sandboxd.daemon.operating.engine_of", lambda *_args: "engine")
    return notes


def operating(hosts: SlowHosts) -> Operating:
    gateways = SimpleNamespace(find=None, keep_credentials=None)
    local_rights = SimpleNamespace(keep=None, wait=lambda *_args: ())
    return Operating(
        {},
        cast("Any", hosts),
        lambda *_args: None,
        cast("Any", gateways),
        cast("Any", local_rights),
        Places(lambda _key: "one"),
        cast("Any", SimpleNamespace(settle=None)),
        cast("Any", SimpleNamespace(settle=None)),
    )


def start(daemon: Operating) -> asyncio.Task[Any]:
    handler = daemon.handlers[f"{messages.OPERATION}start"]
    return asyncio.create_task(cast("Any", handler(CLIENT, {"view": VIEW})))


def test_a_cancel_while_the_host_is_looked_at_is_heard(served: list[str]) -> None:
    async def scenario() -> None:
        hosts = SlowHosts()
        daemon = operating(hosts)
        work = start(daemon)
        await until(lambda: hosts.is_asked)
        await daemon.handlers[messages.CANCEL](CLIENT, {})
        hosts.known.set()
        with pytest.raises(Refused) as caught:
            await asyncio.wait_for(work, PATIENCE)
        assert caught.value.code == messages.CANCELLED
        assert len(daemon) == 0

    asyncio.run(scenario())
    assert served == []


def test_what_a_start_gives_is_kept_where_its_container_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[tuple[Place, str]] = []
    daemon = operating(SlowHosts())
    places, here = Places(lambda key: str(key)), Place("another address", "/app")
    monkeypatch.setattr(daemon, "_places", places)

    def keep(place: Place, container: str, _given: object) -> None:
        kept.append((place, container))

    monkeypatch.setattr(daemon, "_gateways", SimpleNamespace(find=None, keep_credentials=keep))
    monkeypatch.setattr(daemon, "_local_rights", SimpleNamespace(keep=keep, wait=None))
    places.see(cast("Any", here.engine), "/app", Sandbox(True, id="c1"))

    async def scenario() -> None:
        client, key, cancel = CLIENT, cast("Any", "address"), cast("Any", None)
        request = daemon._request(client, key, "/app", {}, None, cancel)
        request.keeping.keep_credentials("/app", "c1", None)
        request.keeping.keep_ssh("/app", "c1", None)

    asyncio.run(scenario())
    assert kept == [(here, "c1"), (here, "c1")]


def test_a_cancel_waits_for_no_other_work_of_the_daemon(served: list[str]) -> None:
    async def scenario() -> None:
        hosts = SlowHosts()
        hosts.known.set()
        daemon = operating(hosts)
        work = start(daemon)
        await until(lambda: served)
        release = threading.Event()
        # More than the threads that the loop shares out have room for.
        busy = [asyncio.create_task(asyncio.to_thread(release.wait)) for _ in range(64)]
        try:
            await asyncio.sleep(0)
            await daemon.handlers[messages.CANCEL](CLIENT, {})
            with pytest.raises(Refused):
                await asyncio.wait_for(work, PATIENCE)
        finally:
            release.set()
            await asyncio.gather(*busy)

    asyncio.run(scenario())
    assert served == ["began"]

"""Nobody waits long for the event loop, however many projects there are."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from asyncio import events
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.daemon.claim import claim
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.registry_file import Entry, registry_path, save
from sandboxd.daemon.service import LONGEST_TURN_SECONDS, Service
from sandboxd.ipc import address, client, messages
from tests.patience import until

PROJECTS = 1500
ATTEMPTS = 3
HANGS_SECONDS = 2.0
"""Other threads may hold the interpreter for a while, but a call that waits for something takes longer."""


def queued() -> float:
    """Seconds that this thread could have run and had no processor; 0 where the kernel does not say."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, float, str]]]:
    """What each callback took: processor time of its thread, time in which it waited for something else
    than a processor, and what it was."""
    spans: list[tuple[float, float, str]] = []
    real = events.Handle._run

    def run(self: Any) -> None:
        cpu, clock = time.thread_time(), time.monotonic() - queued()
        try:
            real(self)
        finally:
            took = time.thread_time() - cpu, time.monotonic() - queued() - clock
            # Warming up has a loop of its own, in a thread.
            is_ours = threading.current_thread() is threading.main_thread()
            if is_ours and max(took) > LONGEST_TURN_SECONDS:
                spans.append((*took, repr(getattr(self._callback, "__self__", self))))

    monkeypatch.setattr(events.Handle, "_run", run)
    # What the tests before left in memory is not the daemon's to look through.
    gc.collect()
    gc.freeze()
    yield spans
    gc.unfreeze()


def environ(home: Path) -> dict[str, str]:
    names = {"STATE": "state", "CACHE": "cache", "CONFIG": "config"}
    folders = {f"XDG_{name}_HOME": str(home / folder) for name, folder in names.items()}
    return {
        **folders,
        "PATH": "/usr/bin",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "DOCKER_HOST": f"unix://{home}/no-engine.sock",
    }


def projects(home: Path, world: dict[str, str]) -> list[Path]:
    folders = [home / "p" / str(number) for number in range(PROJECTS)]
    for path in folders:
        path.mkdir(parents=True)
        (path / "sandboxd.toml").write_text('image = "a"\n')
    engine = EngineKey(world["DOCKER_HOST"], None)
    entries = [Entry(str(path), engine, True, None) for path in folders]
    assert save(registry_path(world), entries) == ""
    return folders


def ask(world: dict[str, str], paths: list[Path]) -> None:
    """In a thread of its own: what people do while the daemon takes up its projects."""
    connection = client.connect(world, str(paths[0]), start=False)
    assert connection is not None
    with connection:
        for number in range(6):
            for form in ("text", "json"):
                terminal = {"format": form, "colour": False, "columns": 80}
                connection.request(messages.STATUS_RENDER, terminal)
            new = paths[number] / "new"
            new.write_text('image = "b"\n')
            new.rename(paths[number] / "sandboxd.toml")
            connection.request(messages.PROJECT_LIST, {})
        connection.request(messages.PROJECT_FORGET, {"path": str(paths[9])})
        connection.request(messages.PROJECT_REGISTER, {"path": str(paths[9])})


@pytest.mark.asyncio
async def test_no_turn_takes_long(own_home: Path, turns: list[tuple[float, float, str]]) -> None:
    """What the code does takes long each time; what the machine does, now and then."""
    for attempt in range(ATTEMPTS):
        turns.clear()
        home = own_home / str(attempt)
        home.mkdir()
        await serve_projects(home)
        long = [turn for turn in turns if turn[0] > LONGEST_TURN_SECONDS or turn[1] > HANGS_SECONDS]
        if not long:
            return
    pytest.fail(f"processor time, time of waiting, and what: {long}")


async def serve_projects(home: Path) -> None:
    """A daemon takes up many projects while people ask it."""
    world = environ(home)
    paths = await asyncio.to_thread(projects, home, world)
    failures: list[BaseException] = []

    def asking() -> None:
        try:
            ask(world, paths)
        except BaseException as error:
            failures.append(error)

    with claim(address.folder(world, os.getuid())) as claimed:
        service = Service(world)
        job = asyncio.create_task(service.serve(claimed))
        await until(lambda: os.path.exists(claimed.path))
        thread = threading.Thread(target=asking)
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.01)
        service.stop()
        await job
    assert failures == []
    assert (paths[5] / ".devcontainer" / "devcontainer.json").exists()

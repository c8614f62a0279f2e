"""The watcher: no change is lost, also while it is replaced, and it says when it cannot watch."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from sandboxd import deadline
from sandboxd.daemon import watch
from sandboxd.daemon.watch import Watcher
from tests.patience import PATIENCE, until


class Told:
    """Collects what a watcher tells."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.times: list[float] = []
        self.rearmed = 0
        self.doubted = 0

    def __call__(self, paths: set[str], at: float) -> None:
        self.paths |= paths
        self.times.append(at)

    def rearm(self) -> None:
        self.rearmed += 1

    def doubt(self) -> None:
        self.doubted += 1

    async def wait(self, check: Callable[[], bool]) -> None:
        await until(check, lambda: self.paths)


@pytest.fixture
def listener() -> Told:
    return Told()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that begins or ends has the time that a busy machine takes."""
    monkeypatch.setattr(watch, "_READY_SECONDS", PATIENCE)
    monkeypatch.setattr(watch, "_LAST_SECONDS", PATIENCE)


@pytest_asyncio.fixture
async def watcher(listener: Told, tmp_path: Path) -> AsyncIterator[Watcher]:
    result = Watcher(listener, str(tmp_path / "own"), listener.rearm, listener.doubt)
    yield result
    await result.close()
    assert not (tmp_path / "own").exists()


def folder(parent: Path, name: str = "w") -> Path:
    path = parent / name
    path.mkdir()
    return path


@pytest.mark.asyncio
async def test_changes_directly_in_the_folder_are_told(
    tmp_path: Path, listener: Told, watcher: Watcher
) -> None:
    top = folder(tmp_path)
    deep = top / "node_modules" / "x"
    deep.mkdir(parents=True)
    assert await watcher.watch(frozenset({str(top)})) == {str(top)}
    (deep / "file").write_text("x")
    (top / "sandboxd.toml").write_text("x")
    await listener.wait(lambda: str(top / "sandboxd.toml") in listener.paths)
    assert str(deep / "file") not in listener.paths
    assert not any(str(tmp_path / "own") in path for path in listener.paths)


@pytest.mark.asyncio
async def test_nothing_is_lost_while_the_set_changes(
    tmp_path: Path, listener: Told, watcher: Watcher
) -> None:
    base = folder(tmp_path)
    await watcher.watch(frozenset({str(base)}))
    for number in range(15):
        other = folder(tmp_path, f"o{number}")
        change = asyncio.create_task(watcher.watch(frozenset({str(base), str(other)})))
        await asyncio.sleep(0)
        (base / f"f{number}").write_text("x")
        assert await change == {str(other)}
        # The run before told all it knew before it was ended: nothing is on its way.
        assert str(base / f"f{number}") in listener.paths or number == 14
    await listener.wait(lambda: len([p for p in listener.paths if p.startswith(f"{base}/f")]) == 15)


@pytest.mark.asyncio
async def test_what_the_run_before_does_not_tell_in_time_is_a_reason_to_look(
    tmp_path: Path, listener: Told, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_check: object) -> None:
        await asyncio.Event().wait()

    base = folder(tmp_path)
    await watcher.watch(frozenset({str(base)}))
    assert watcher._current is not None
    monkeypatch.setattr(watcher._current, "until", never)
    monkeypatch.setattr(watch, "_LAST_SECONDS", 0.01)
    await watcher.watch(frozenset({str(base), str(folder(tmp_path, "o"))}))
    assert listener.doubted == 1


@pytest.mark.asyncio
async def test_a_machine_that_stood_still_gets_one_more_try(
    tmp_path: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    until, now = watch._Run.until, [0.0]

    async def stands_still(run: Any, check: Callable[[], bool]) -> None:
        if not now[0]:
            now[0] = 10 * PATIENCE
            raise TimeoutError
        await until(run, check)

    monkeypatch.setattr(watch._Run, "until", stands_still)
    monkeypatch.setattr(watch, "_PROOF_SECONDS", PATIENCE)
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep)
    for module in (watch, deadline):
        monkeypatch.setattr(module, "time", clock)
    top = frozenset({str(folder(tmp_path))})
    assert await watcher.watch(top) == top


@pytest.mark.asyncio
async def test_the_same_set_is_no_change_and_missing_folders_are_left_out(
    tmp_path: Path, watcher: Watcher
) -> None:
    top = folder(tmp_path)
    folders = frozenset({str(top), str(tmp_path / "missing")})
    assert await watcher.watch(folders) == {str(top)}
    run = watcher._current
    assert await watcher.watch(folders) == frozenset()
    assert watcher._current is run, "a new watcher for the same folders"
    (tmp_path / "missing").mkdir()
    assert await watcher.watch(folders) == {str(tmp_path / "missing")}
    assert watcher.problem == ""


@pytest.mark.asyncio
async def test_a_folder_that_was_made_anew_is_listened_to_again(
    tmp_path: Path, listener: Told, watcher: Watcher
) -> None:
    top, config = folder(tmp_path), folder(tmp_path, "w/.devcontainer")
    folders = frozenset({str(top), str(config)})
    await watcher.watch(folders)
    config.rmdir()
    config.mkdir()
    await listener.wait(lambda: listener.rearmed > 0)
    assert await watcher.watch(folders) == {str(config)}
    (config / "devcontainer.json").write_text("{}")
    await listener.wait(lambda: str(config / "devcontainer.json") in listener.paths)


@pytest.mark.asyncio
async def test_a_file_name_that_is_not_utf8_costs_only_its_own_folder_its_events(
    tmp_path: Path, listener: Told, watcher: Watcher
) -> None:
    hostile, other = folder(tmp_path, "hostile"), folder(tmp_path, "other")
    folders = frozenset({str(hostile), str(other)})
    await watcher.watch(folders)
    with open(os.fsencode(hostile) + b"/\xff", "wb"):
        pass
    await listener.wait(lambda: listener.doubted > 0)
    assert f"`{hostile}`" in watcher.problem
    async with asyncio.timeout(PATIENCE):
        while watcher.problem:
            await asyncio.sleep(0.05)
            await watcher.watch(folders)
    assert watcher.deaf == {str(hostile)}
    (other / "sandboxd.toml").write_text("x")
    await listener.wait(lambda: str(other / "sandboxd.toml") in listener.paths)


@pytest.mark.asyncio
async def test_a_folder_whose_path_is_not_utf8_is_to_be_looked_at(
    tmp_path: Path, watcher: Watcher
) -> None:
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    os.mkdir(bad)
    good = folder(tmp_path)
    assert await watcher.watch(frozenset({bad, str(good)})) == {str(good)}
    assert (watcher.deaf, watcher.problem) == ({bad}, "")


@pytest.mark.asyncio
async def test_so_many_changes_that_some_may_be_lost_are_a_reason_to_look(
    tmp_path: Path, listener: Told, watcher: Watcher
) -> None:
    top = folder(tmp_path)
    await watcher.watch(frozenset({str(top)}))
    for number in range(20 * watch.MANY_CHANGES):
        os.close(os.open(top / str(number), os.O_CREAT))
    await listener.wait(lambda: listener.doubted > 0)


@pytest.mark.asyncio
async def test_without_events_it_says_so_and_tries_again(
    tmp_path: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_folders: str, **_more: Any) -> Any:
        raise OSError("OS file watch limit reached")

    top = frozenset({str(folder(tmp_path))})
    monkeypatch.setattr("sandboxd.daemon.listening.watch", refuse)
    assert watcher.interval == watch.SWEEP_SECONDS
    assert await watcher.watch(top) == frozenset()
    assert "limit" in watcher.problem
    assert watcher.interval == watch.POLL_SECONDS
    monkeypatch.undo()
    assert await watcher.watch(top) == frozenset()
    more = top | {str(folder(tmp_path, "more"))}
    assert await watcher.watch(more) == more, "another set is tried at once"
    monkeypatch.setattr("sandboxd.daemon.listening.watch", refuse)
    assert await watcher.watch(top) == frozenset()
    monkeypatch.undo()
    assert await watcher.watch(top) == frozenset()
    monkeypatch.setattr(watcher, "_retry_at", 0.0)
    assert await watcher.watch(top) == top
    assert watcher.problem == ""


@pytest.mark.asyncio
async def test_a_watcher_that_does_not_tell_of_our_own_change_is_not_believed(
    tmp_path: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_folders: str, stop_event: Any, **_more: Any) -> Any:
        while not stop_event.is_set():
            time.sleep(0.01)
            if False:
                yield set()

    monkeypatch.setattr("sandboxd.daemon.listening.watch", deaf)
    monkeypatch.setattr(watch, "_READY_SECONDS", 0.1)
    assert await watcher.watch(frozenset({str(folder(tmp_path))})) == frozenset()
    assert "a change of our own was not told" in watcher.problem


def lossy(lost: str, real: Any) -> Any:
    """The library as it is after the kernel's queue was full: of one file nothing is told."""

    def listener(*folders: str, **more: Any) -> Any:
        for changes in real(*folders, **more):
            yield {(change, path) for change, path in changes if not path.endswith(lost)}

    return listener


@pytest.mark.asyncio
async def test_a_flood_that_fills_the_queue_loses_no_generation(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd.daemon import listening
    from sandboxd.daemon.keeper import Keeper
    from tests.unit.daemon.test_keeper import ENGINE, environ, project

    monkeypatch.setattr(listening, "watch", lossy("sandboxd.toml", listening.watch))
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    top = project(own_home)
    await keeper.register(str(top), ENGINE)
    generated = top / ".devcontainer" / "devcontainer.json"
    await until(lambda: str(top) in keeper.watching.watcher.armed)
    for number in range(20 * watch.MANY_CHANGES):
        os.close(os.open(top / str(number), os.O_CREAT))
    (top / "sandboxd.toml").write_text('image = "flooded"\n')
    await until(lambda: '"image": "flooded"' in generated.read_text())
    await keeper.close()


@pytest.mark.asyncio
async def test_ended_while_it_begins_it_leaves_nothing_behind(
    tmp_path: Path, listener: Told
) -> None:
    top = frozenset({str(folder(tmp_path))})
    for number in range(10):
        watcher = Watcher(listener, str(tmp_path / "own"))
        job = asyncio.create_task(watcher.watch(top))
        await asyncio.sleep(number / 200)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await watcher.close()
        assert not (tmp_path / "own").exists()


@pytest.mark.asyncio
async def test_a_folder_that_is_made_late_is_removed(
    tmp_path: Path, listener: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), threading.Event()

    def late(path: str, *arguments: Any, **options: Any) -> None:
        begun.set()
        go_on.wait(PATIENCE)
        makedirs(path, *arguments, **options)
        made.set()

    makedirs = os.makedirs
    own = tmp_path / "own"
    watcher = Watcher(listener, str(own))
    job = asyncio.create_task(watcher.watch(frozenset({str(folder(tmp_path))})))
    monkeypatch.setattr(watch.os, "makedirs", late)
    await until(begun.is_set)
    job.cancel()

    async def end() -> None:
        await asyncio.gather(job, return_exceptions=True)
        await watcher.close()

    ended = asyncio.create_task(end())
    await asyncio.wait({ended}, timeout=0.3)
    go_on.set()
    await ended
    await until(made.is_set)
    assert not own.exists()


@pytest.mark.asyncio
async def test_folders_that_every_program_reads_are_not_watched(own_home: Path) -> None:
    """Each file that is opened in a watched folder wakes the watcher, and all open files in /etc."""
    from sandboxd.daemon.keeper import Keeper
    from tests.unit.daemon.test_keeper import environ

    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    await until(lambda: keeper.watching.watcher.armed)
    assert keeper.watching.watcher.armed == {str(own_home)}
    await keeper.close()

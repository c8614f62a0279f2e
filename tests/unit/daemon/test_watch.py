"""The watcher: no change is lost, also while it is replaced, and it says when it cannot watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxd.daemon import watch
from sandboxd.daemon.watch import Watcher


class Seen:
    """Collects what a watcher tells."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.times: list[float] = []

    def __call__(self, paths: set[str], at: float) -> None:
        self.paths |= paths
        self.times.append(at)

    async def wait(self, check: Callable[[], bool], seconds: float = 5) -> None:
        deadline = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < deadline, self.paths
            await asyncio.sleep(0.005)


@pytest.mark.asyncio
async def test_changes_directly_in_the_folder_are_told(tmp_path: Path) -> None:
    seen = Seen()
    watcher = Watcher(seen)
    deep = tmp_path / "node_modules" / "x"
    deep.mkdir(parents=True)
    assert await watcher.watch(frozenset({str(tmp_path)}))
    (deep / "file").write_text("x")
    begin = time.monotonic()
    (tmp_path / "sandboxd.toml").write_text("x")
    await seen.wait(lambda: str(tmp_path / "sandboxd.toml") in seen.paths)
    assert seen.times[0] - begin < 1
    assert str(deep / "file") not in seen.paths
    await watcher.close()


@pytest.mark.asyncio
async def test_nothing_is_lost_while_the_set_changes(tmp_path: Path) -> None:
    seen = Seen()
    watcher = Watcher(seen)
    base = tmp_path / "base"
    base.mkdir()
    await watcher.watch(frozenset({str(base)}))
    for number in range(15):
        other = tmp_path / f"o{number}"
        other.mkdir()
        change = asyncio.create_task(watcher.watch(frozenset({str(base), str(other)})))
        await asyncio.sleep(0)
        (base / f"f{number}").write_text("x")
        assert await change
    await seen.wait(lambda: len([p for p in seen.paths if p.startswith(str(base) + "/f")]) == 15)
    await watcher.close()


@pytest.mark.asyncio
async def test_the_same_set_is_no_change_and_missing_folders_are_left_out(tmp_path: Path) -> None:
    watcher = Watcher(Seen())
    folders = frozenset({str(tmp_path), str(tmp_path / "missing")})
    assert await watcher.watch(folders)
    assert not await watcher.watch(folders)
    assert watcher.problem == ""
    assert await watcher.watch(frozenset())
    await watcher.close()


@pytest.mark.asyncio
async def test_without_events_it_polls_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> Any:
        raise OSError("OS file watch limit reached")

    watcher = Watcher(Seen())
    monkeypatch.setattr(watch, "open_events", refuse)
    assert watcher.interval == watch.SWEEP_SECONDS
    await watcher.watch(frozenset({str(tmp_path)}))
    assert "limit reached" in watcher.problem
    assert watcher.interval == watch.POLL_SECONDS
    monkeypatch.undo()
    monkeypatch.setattr(watch, "_RETRY_SECONDS", 0.0)
    assert await watcher.watch(frozenset({str(tmp_path)}))
    assert watcher.problem == ""
    await watcher.close()

"""A change in a watched folder of either side is exchanged, once at a time, and nothing runs while nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from sandboxd.daemon import exchanges
from sandboxd.daemon import watching as watching_room
from sandboxd.daemon.exchanges import Exchanges
from sandboxd.daemon.places import Place
from sandboxd.daemon.policies import Policies
from sandboxd.daemon.tasks import Tasks
from sandboxd.daemon.threads import Threads
from sandboxd.exchange import of_container
from sandboxd.exchange.run import Outcome, exchange
from tests.patience import PATIENCE, until
from tests.unit.exchange.two_sides import Sides, make


class Watching:
    """Records who watches what."""

    def __init__(self) -> None:
        self.watcher = SimpleNamespace(problem="", deaf=frozenset())
        self.folders: dict[object, frozenset[str]] = {}
        self.calls: dict[object, Callable[[set[str]], None]] = {}

    def watch_also(self, owner: object, folders: frozenset[str], changed: Any) -> None:
        self.folders[owner] = folders
        self.calls[owner] = changed


class Bench:
    """The exchanges of one sandbox, whose containers are stood for by git in its directory."""

    def __init__(
        self,
        sides: Sides,
        base: Path,
        monkeypatch: pytest.MonkeyPatch,
        watching: Any = None,
    ) -> None:
        self.sides = sides
        self.watching = watching or Watching()
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.ran = 0
        self.after: Callable[[], object] = lambda: None
        """Called after each exchange, before the daemon knows which folders to watch."""
        environ = {"XDG_STATE_HOME": str(base / "state")}
        hosts = SimpleNamespace(environ=lambda _: environ, engine=lambda _: None)
        self.exchanges = Exchanges(hosts, self.watching)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()

        def exchange_with(
            _engine: object, _environ: object, _container: str, own: of_container.OfContainer
        ) -> Outcome:
            self.ran += 1
            outcome = exchange(own.repository, own.place, "", sides.transfer)
            self.after()
            loop.call_soon_threadsafe(self.outcomes.put_nowait, outcome)
            return outcome

        monkeypatch.setattr(of_container, "exchange_with", exchange_with)
        monkeypatch.setattr(exchanges, "GATHER_SECONDS", 0)

    def update(self, *, running: bool = True) -> None:
        mount = SimpleNamespace(
            type="bind", source=self.sides.place.inside, target="/w/.git", read_only=False
        )
        container = SimpleNamespace(mounts=[SimpleNamespace(value=mount)])
        sandbox = SimpleNamespace(id="c", container=container, running=running, paused=False)
        self.exchanges.update(Place("one", str(self.sides.folder)), None, sandbox)  # type: ignore[arg-type]

    def change(self) -> None:
        for call in self.watching.calls.values():
            call(set())


async def host_follows(bench: Bench) -> None:
    """Wait for the exchange by which the host follows: one that runs while git writes may find half of a commit."""
    async with asyncio.timeout(PATIENCE):
        while not (await bench.outcomes.get()).host_followed:
            pass


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(make(tmp_path), tmp_path)


@pytest.mark.asyncio
async def test_a_change_is_exchanged(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(sides, tmp_path, monkeypatch)
    bench.update()
    await bench.outcomes.get()
    (attended,) = bench.exchanges._attended.values()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    attended.changed(set())
    await host_follows(bench)
    assert sides.host("log", "-1", "--format=%s") == "inside\n"
    bench.exchanges.close()


@pytest.mark.asyncio
async def test_a_command_waits_for_what_was_committed_before_it(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(sides, tmp_path, monkeypatch)
    bench.update()
    await bench.outcomes.get()
    place = Place("one", str(sides.folder))
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    # No event tells of it here.
    await asyncio.to_thread(bench.exchanges.settle, place, PATIENCE)
    assert sides.host("log", "-1", "--format=%s") == "inside\n"
    # Once that is seen, there is nothing to wait for, and of a sandbox that is gone neither.
    await asyncio.to_thread(bench.exchanges.settle, place, PATIENCE)
    ran = bench.ran
    await asyncio.to_thread(bench.exchanges.settle, place, PATIENCE)
    assert bench.ran == ran
    bench.exchanges.forget(str(sides.folder))
    await asyncio.to_thread(bench.exchanges.settle, place, PATIENCE)


@pytest_asyncio.fixture
async def watching(tmp_path: Path) -> AsyncIterator[watching_room.Watching]:
    """The daemon's own watcher, of no project."""
    threads, tasks = Threads(), Tasks("the test", lambda _error: None)
    policies = Policies({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}, lambda: None)
    generation: Any = SimpleNamespace(look_later=lambda _projects: None)
    own = str(tmp_path / "own")
    result = watching_room.Watching(
        {}, policies, own, generation, threads, tasks, lambda _path: None, lambda: None, lambda: ()
    )
    yield result
    result.end()
    await tasks.close()
    await result.watcher.close()
    threads.close()


@pytest.mark.asyncio
async def test_what_is_committed_before_its_folder_is_watched_comes_as_well(
    sides: Sides,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    watching: watching_room.Watching,
) -> None:
    """As by `up` and at once `exec -- git commit`: no event ever tells of it."""
    bench = Bench(sides, tmp_path, monkeypatch, watching)

    def commit_once() -> None:
        bench.after = lambda: None
        sides.inside("commit", "--allow-empty", "-qm", "at once")

    bench.after = commit_once
    bench.update()
    await bench.outcomes.get()
    await host_follows(bench)
    assert sides.host("log", "-1", "--format=%s") == "at once\n"
    bench.exchanges.close()


@pytest.mark.asyncio
async def test_events_that_the_system_dropped_are_made_up_for(
    sides: Sides,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    watching: watching_room.Watching,
) -> None:
    bench = Bench(sides, tmp_path, monkeypatch, watching)
    bench.update()
    await bench.outcomes.get()
    await until(
        lambda: sides.place.inside in watching.watcher.armed, lambda: watching.watcher.armed
    )
    monkeypatch.setattr(watching.watcher, "_on_change", lambda _paths, _at: None)
    sides.inside("commit", "--allow-empty", "-qm", "untold")
    watching.watcher._doubt()
    await host_follows(bench)
    bench.exchanges.close()


@pytest.mark.asyncio
async def test_events_that_changed_nothing_cost_no_exchange(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(sides, tmp_path, monkeypatch)
    looks: asyncio.Queue[None] = asyncio.Queue()
    run = bench.exchanges.run

    async def counted(*args: Any) -> Any:
        result = await run(*args)
        looks.put_nowait(None)
        return result

    monkeypatch.setattr(bench.exchanges, "run", counted)
    bench.update()
    await looks.get()
    (attended,) = bench.exchanges._attended.values()
    attended.changed(set())
    await looks.get()
    # The first one wrote refs of ours, which are no change.
    assert bench.ran == 1
    bench.exchanges.close()


@pytest.mark.asyncio
async def test_both_sides_are_watched_until_the_sandbox_ends(
    sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(sides, tmp_path, monkeypatch)
    watched = asyncio.Event()
    watch_also = bench.watching.watch_also

    def heard(*args: Any) -> None:
        watch_also(*args)
        watched.set()

    monkeypatch.setattr(bench.watching, "watch_also", heard)
    bench.update()
    await watched.wait()
    ((owner, folders),) = bench.watching.folders.items()
    git = f"{sides.folder}/.git"
    assert {git, f"{git}/refs/heads", sides.place.inside} <= folders
    assert f"{sides.place.inside}/refs/heads/feature" in folders
    assert f"{git}/refs/sandboxd" not in folders
    assert not any("/objects" in folder for folder in folders)
    bench.update(running=False)
    assert bench.watching.folders[owner] == frozenset()
    bench.exchanges.close()

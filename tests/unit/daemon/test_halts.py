"""A watched sandbox on an engine that is played: what halts it, when, and how often."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.daemon import halts
from sandboxd.daemon.halts import Halts, Watched
from sandboxd.daemon.mount_events import MountEvents
from sandboxd.daemon.projects import EngineKey
from sandboxd.engine import failures
from sandboxd.halt import arrivals, record
from sandboxd.halt.points import What
from sandboxd.observe import open_links
from sandboxd.status.observe import Run
from tests.patience import PATIENCE, eventually, until
from tests.unit.halt.played import PlayedEngine, replace
from tests.unit.halt.test_entries import facts
from tests.unit.observe.test_open_links import inspected
from tests.unit.plan.test_entrances import COMMIT, make, name
from tests.unit.plan.test_git_control import git

ENGINE, OTHER_NAME = EngineKey("unix:///one", None), EngineKey(None, "one")


class World:
    """One watched sandbox, and what its watch said."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "app"
        (self.workspace / "sub").mkdir(parents=True)
        for below in (".envrc", "sub/.envrc"):
            (self.workspace / below).write_text("host")
        self.environ = {"XDG_STATE_HOME": str(folder / "state")}
        self.engine = PlayedEngine(self.workspace)
        self.texts: list[str] = []
        run = Run(str(self.workspace), "c1", "run")
        self.watched = Watched(run, self.engine, self.environ, self.texts.append)  # type: ignore[arg-type]

    def start(self) -> None:
        self.watched.start()
        eventually(lambda: len(self.watched._events) == 2)

    def halt(self) -> record.Halt | None:
        return record.load(self.environ, str(self.workspace), "c1")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(halts, "_AGAIN_SECONDS", 0.01)
    world = World(tmp_path)
    yield world
    world.watched.stop()
    eventually(lambda: not world.watched.is_alive())


def test_replacements_in_one_breath_are_one_halt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halts, "ONE_HALT_SECONDS", 10 * PATIENCE)
    world.start()
    replace(world.workspace / ".envrc", "new")
    eventually(world.halt)
    (world.workspace / "sub/.envrc").unlink()
    # The breath ends.
    world.watched.stop()
    eventually(lambda: world.texts)
    halt = world.halt()
    assert halt is not None and world.engine.paused == ["c1"] and len(world.texts) == 1
    assert {entry.path: entry.what for entry in halt.entries} == {
        ".envrc": What.REPLACED,
        "sub/.envrc": What.REMOVED,
    }
    assert "`.envrc`, `sub/.envrc` were replaced or removed on the host" in world.texts[0]
    ((kind, project, said),) = facts(world.environ)
    assert (kind, project, said["owner"]) == ("halt", str(world.workspace), "daemon")
    assert said["paths"] == [".envrc: replaced", "sub/.envrc: removed or renamed"]


@pytest.mark.asyncio
async def test_that_it_is_paused_by_its_halt_does_not_cut_the_halt_short(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon hears of the pause from the engine, long before all that belongs to the halt has happened."""
    monkeypatch.setattr(halts, "ONE_HALT_SECONDS", PATIENCE)
    events: list[object] = []
    all_halts = Halts(PlayedHosts(world), events.append)  # type: ignore[arg-type]
    run = Run(str(world.workspace), "c1", "first run")
    all_halts.update(ENGINE, {run})
    watched = all_halts._watched["c1"]
    await until(lambda: len(watched._events) == 2)
    replace(world.workspace / ".envrc", "new")
    await until(world.halt)
    all_halts.update(ENGINE, {run._replace(is_paused=True)})
    assert watched.is_alive() and not watched._stop.is_set()
    (world.workspace / "sub/.envrc").unlink()
    # Its container is removed: nothing more can belong to it.
    all_halts.update(ENGINE, ())
    await until(lambda: events)
    halt = world.halt()
    assert halt is not None and halt.is_told
    assert [entry.path for entry in halt.entries] == [".envrc", "sub/.envrc"]


def test_one_that_is_resumed_before_its_halt_is_told_is_halted_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(watched: Watched, halt: record.Halt) -> None:
        if len(world.engine.paused) == 1:
            world.engine.state = {**world.engine.state, "Paused": False}

    monkeypatch.setattr(Watched, "_tell", tell)
    monkeypatch.setattr(halts, "ONE_HALT_SECONDS", 0.01)
    world.start()
    (world.workspace / ".envrc").unlink()
    eventually(lambda: not world.watched.is_alive())
    assert world.engine.paused == ["c1", "c1"]
    halt = world.halt()
    assert halt is not None and halt.reason is record.Reason.UNWATCHED


def test_what_was_lost_before_is_halted_at_once(world: World) -> None:
    (world.workspace / ".envrc").unlink()
    world.watched.start()
    halt = eventually(world.halt)
    assert halt.reason is record.Reason.UNWATCHED


def test_an_engine_that_refuses_is_asked_again_and_nothing_is_put_back_before(world: World) -> None:
    refusals = [failures.refused(500, "cannot pause")] * 3

    def refuse() -> None:
        world.engine.failure = refusals.pop() if refusals else None

    world.engine.while_pausing = refuse
    world.start()
    replace(world.workspace / ".envrc", "new")
    eventually(world.halt)
    assert refusals == [] and world.engine.paused == ["c1"]


def test_a_halt_that_failed_is_tried_again_when_the_watch_is_stopped(world: World) -> None:
    """The container may have ended meanwhile, and what it wrote has to be put aside all the same."""

    def fail_once() -> None:
        world.watched.stop()
        world.engine.failure, first[0] = first[0], None

    first: list[Exception | None] = [failures.refused(500, "no answer")]
    world.engine.while_pausing = fail_once
    world.start()
    replace(world.workspace / ".envrc", "new")
    eventually(lambda: not world.watched.is_alive())
    assert world.halt() is not None and world.engine.paused == ["c1"]


def test_an_engine_that_cannot_pause_ends_it_and_that_is_said(world: World) -> None:
    world.engine.failure = failures.refused(500, "cgroups not configured for container")
    world.engine.can_end = True
    world.start()
    replace(world.workspace / ".envrc", "new")
    eventually(lambda: world.texts)
    halt = world.halt()
    assert halt is not None and halt.is_stopped and world.engine.ended == ["c1"]
    assert "cannot pause it, so what ran inside was ended" in world.texts[0]
    assert (world.workspace / ".envrc").read_text() == "host"
    assert (world.workspace / ".envrc.halted").read_text() == "new"


def test_writing_in_place_and_other_names_halt_nothing(world: World) -> None:
    world.start()
    (world.workspace / ".envrc").write_text("in place")
    replace(world.workspace / "main.py", "x")
    world.watched.stop()
    eventually(lambda: not world.watched.is_alive())
    assert world.engine.paused == [] and world.halt() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no move is seen")
def test_what_is_moved_while_it_listens_anew_is_seen_behind_many_entries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = world.workspace / "sub/shut"
    shut.mkdir()
    (shut / "aa").touch()
    described = world.engine.description()
    mount = {"Type": "bind", "Source": str(shut), "Destination": "/w/sub/shut", "RW": False}
    described["Mounts"].append(mount)
    monkeypatch.setattr(world.engine, "description", lambda: described)
    # What is looked at anyway is `aa` alone.
    monkeypatch.setattr(arrivals, "_MOST_ENTRIES", 1)
    files = [world.workspace / name for name in ("one", "two")]
    for file in files:
        file.write_text("inside")
    inodes = [file.stat().st_ino for file in files]
    world.start()
    listen = halts.open_events

    def move_and_listen(*paths: Any) -> MountEvents:
        if files[1].exists():
            files[1].rename(shut / "two")
        return listen(*paths)

    monkeypatch.setattr(halts, "open_events", move_and_listen)
    files[0].rename(shut / "one")
    eventually(lambda: (shut / "two").exists())
    for file, inode in zip(files, inodes, strict=True):
        copy = shut / file.name
        eventually(lambda copy=copy, inode=inode: copy.stat().st_ino != inode)
    assert world.halt() is None


def test_a_container_that_is_gone_ends_the_watch(world: World) -> None:
    world.start()
    world.engine.failure = failures.gone()
    (world.workspace / ".envrc").unlink()
    eventually(lambda: not world.watched.is_alive())
    assert world.halt() is None and world.texts == []


def test_an_index_that_comes_to_name_a_repository_halts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(world.workspace / "shared")
    repository = world.workspace / "shared"
    monkeypatch.setattr(world.engine, "description", lambda: inspected(repository))
    world.start()
    name(repository, "lib")
    halt = eventually(lambda: record.load(world.environ, str(repository), "c1"))
    assert [entry.what for entry in halt.entries] == [What.ENTERED]


def test_a_work_tree_that_comes_after_one_elsewhere_halts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first makes git's folder of work trees, which was not there to be watched when the watch began."""
    repository = make(world.workspace / "shared")
    git(repository, *COMMIT)
    monkeypatch.setattr(world.engine, "description", lambda: inspected(repository))
    world.start()
    git(repository, "worktree", "add", "-q", str(world.workspace / "elsewhere"))
    assert record.load(world.environ, str(repository), "c1") is None
    git(repository, "worktree", "add", "-q", "trees/two")
    halt = eventually(lambda: record.load(world.environ, str(repository), "c1"))
    assert [(entry.path, entry.what) for entry in halt.entries] == [("trees/two/.git", What.LISTED)]


class PlayedHosts:
    """Every engine is the one that is played."""

    def __init__(self, world: World) -> None:
        self._world = world

    def engine(self, _key: EngineKey) -> PlayedEngine:
        return self._world.engine

    def environ(self, _key: EngineKey) -> dict[str, str]:
        return self._world.environ


@pytest.mark.asyncio
async def test_each_container_that_runs_is_watched_whoever_started_it(world: World) -> None:
    """A second one of the same sandbox, as where an editor starts it beside `sandboxd up`."""
    watching = Halts(PlayedHosts(world), lambda _event: None)  # type: ignore[arg-type]
    runs = {Run(str(world.workspace), name, "run") for name in ("c1", "c2")}
    watching.update(ENGINE, runs)
    first = dict(watching._watched)
    await until(lambda: all(len(each._events) == 2 for each in first.values()))
    # The same engine by another name makes none anew, nor does an answer that did not come.
    watching.update(OTHER_NAME, runs)
    watching.update(ENGINE, ())
    watching.update(OTHER_NAME, {run._replace(identity="") for run in runs})
    assert watching._watched == first
    replace(world.workspace / ".envrc", "new")
    await until(lambda: sorted(world.engine.paused) == ["c1", "c2"])
    watching.update(OTHER_NAME, ())
    assert watching._watched == {}
    await until(lambda: not any(each.is_alive() for each in first.values()))


@pytest.mark.asyncio
async def test_what_keeps_it_from_being_watched_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Halts(PlayedHosts(world), lambda _event: None)  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(world.engine, "inspect", refuse_to_say)
        watching.update(ENGINE, {Run(str(world.workspace), "c1", "run")})
        await until(lambda: "no answer" in watching.problem(str(world.workspace)))
    assert watching.problem("/elsewhere") == ""
    await until(lambda: watching.problem(str(world.workspace)) == "")
    watching.close()


def refuse_to_say(_container: str) -> dict[str, Any]:
    raise failures.refused(500, "no answer")


def test_a_lost_mount_halts_while_what_git_names_is_still_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program inside can have a large index read again and again."""
    repository = make(world.workspace / "shared")
    (repository / ".envrc").write_text("host")
    monkeypatch.setattr(world.engine, "description", lambda: with_envrc(repository))
    world.start()
    is_reading, may_go_on = threading.Event(), threading.Event()

    def read(of: open_links.Watch | None) -> open_links.Named:
        is_reading.set()
        assert may_go_on.wait(60 * PATIENCE)
        return open_links.Named()

    monkeypatch.setattr(open_links, "named", read)
    try:
        (repository / ".git/config").write_text("")
        assert is_reading.wait(60 * PATIENCE)
        replace(repository / ".envrc", "new")
        halt = eventually(lambda: record.load(world.environ, str(repository), "c1"))
        assert [(entry.path, entry.what) for entry in halt.entries] == [(".envrc", What.REPLACED)]
        assert world.engine.paused == ["c1"], "it is stopped, and known to be so"
        assert (repository / ".envrc").read_text() == "host"
    finally:
        may_go_on.set()
    world.watched.stop()
    eventually(lambda: not world.watched.is_alive())
    assert world.engine.paused == ["c1"], "one halt, although both threads find it"


def with_envrc(repository: Path) -> dict[str, Any]:
    described = inspected(repository)
    top = next(m["Destination"] for m in described["Mounts"] if m["Source"] == str(repository))
    mount = {
        "Type": "bind",
        "Source": f"{repository}/.envrc",
        "Destination": f"{top}/.envrc",
        "RW": False,
    }
    return {**described, "Mounts": [*described["Mounts"], mount], "State": {"Pid": 0}}

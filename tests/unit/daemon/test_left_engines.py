"""An engine on which something was given is followed though nobody names it, ever more rarely, until nothing is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from sandboxd.daemon import engine_events, hosts, left_engines
from sandboxd.daemon.engine_events import EngineEvents
from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.left_engines import LeftEngines
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.threads import Threads
from sandboxd.egress.policy import Policy
from sandboxd.engine.contexts import Identity, resolve
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import Engine, HostFacts
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights
from sandboxd.status.observe import Observed
from tests.patience import PATIENCE, until

SANDBOX = "/home/ann/shop"
BUILD = "ssh://build"


class Stream:
    """The engine's events; `pause` is how rarely it is tried again."""

    def __init__(self, *_: object) -> None:
        self.is_open, self.pause, self.is_stopped = True, 0.0, False

    def start(self) -> None: ...

    def stop(self) -> None:
        self.is_stopped = True

    def pause_at_most(self, seconds: float) -> None:
        self.pause = seconds


class World:
    """A user, who was given something on engines, and a daemon that no client has asked yet."""

    def __init__(self, home: Path) -> None:
        self.environ = {"HOME": str(home)}
        self.hosts = Hosts(self.environ, set, lambda _key: None, lambda *_: None)
        self.threads = Threads()
        self.left = LeftEngines(self.hosts, self.environ, self.threads)

    def give(self, host: str, container: str = "c1") -> None:
        environ = {**self.environ, "DOCKER_HOST": host}
        given_rights.keep(environ, SANDBOX, GivenRights(container, "d", Policy()))

    def stream(self, key: EngineKey) -> Any:
        return self.hosts._engines[key].events


@pytest_asyncio.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(hosts, "EngineEvents", Stream)
    monkeypatch.setattr(hosts, "probe", lambda *_, **__: HostFacts(engine=Engine("unix:///x")))
    monkeypatch.setattr(hosts.Observer, "observe", lambda *_: Observed({}))
    world = World(tmp_path)
    yield world
    await world.hosts.close()
    world.threads.close()


@pytest.mark.asyncio
async def test_each_engine_with_something_is_followed_once_and_no_other(world: World) -> None:
    default, of_project = resolve(world.environ).host, EngineKey("unix:///of-project.sock", None)
    for host in (default, BUILD, "unix:///of-project.sock", "tcp://gone:2375"):
        world.give(host, f"container on {host}")
    entries = given_rights.entries(world.environ)
    given_rights.note_gone(e for e in entries if e.engine and e.engine.host == "tcp://gone:2375")
    await world.left.take_up({of_project})
    build = world.hosts.key(
        {"DOCKER_HOST": BUILD, "DOCKER_CONFIG": f"{world.environ['HOME']}/.docker"}
    )
    assert {*world.hosts._engines} == {world.hosts.key({}), of_project, build}
    pauses = {key: world.stream(key).pause for key in world.hosts._engines}
    assert pauses[of_project] == engine_events.LONGEST_PAUSE, "its project is kept"
    assert pauses[build] == pauses[world.hosts.key({})] == left_engines.LONGEST_PAUSE


@pytest.mark.asyncio
async def test_an_engine_is_followed_by_the_name_that_clients_use(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Identity("unix:///by-context.sock", "work", None, "/config")

    def by_context(environ: Mapping[str, str]) -> Identity:
        return engine if environ.get("DOCKER_CONTEXT") == "work" else resolve(environ)

    for module in (hosts, given_rights):
        monkeypatch.setattr(module, "resolve", by_context)
    environ = {**world.environ, "DOCKER_CONTEXT": "work"}
    given_rights.keep(environ, SANDBOX, GivenRights("c1", "d", Policy()))
    await world.left.take_up(set())
    (key,) = world.hosts._engines
    assert (key.context, key.host) == ("work", None)


@pytest.mark.asyncio
async def test_where_nothing_is_left_it_is_followed_no_longer(world: World) -> None:
    world.give(BUILD)
    await world.left.take_up(set())
    (key,) = world.hosts._engines
    stream = world.stream(key)
    await world.left.check()
    assert not stream.is_stopped, "its record is there"
    given_rights.note_gone(given_rights.entries(world.environ))
    await world.left.check()
    assert stream.is_stopped and not world.hosts._engines


@pytest.mark.asyncio
async def test_an_engine_that_answers_ends_the_records_of_containers_that_are_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = [SimpleNamespace(id="c1")]
    client = SimpleNamespace(containers=lambda *_: present)
    monkeypatch.setattr(Hosts, "engine", lambda *_: client)
    world.give("unix:///other.sock")
    await world.left.take_up(set())
    (key,) = world.hosts._engines
    present.clear()
    await world.left.check()
    assert given_rights.entries(world.environ), "nobody knows whether it answers"
    engine = world.hosts._engines[key]
    await world.hosts._asking(key, engine)
    present.append(SimpleNamespace(id="c1"))
    await world.left.check()
    assert given_rights.entries(world.environ) and world.hosts._engines
    present.clear()
    await world.left.check()
    assert not given_rights.entries(world.environ) and not world.hosts._engines


@pytest.mark.asyncio
async def test_one_that_a_client_names_is_followed_as_any_other(world: World) -> None:
    world.give("unix:///other.sock")
    await world.left.take_up(set())
    (key,) = world.hosts._engines
    assert not await world.hosts.runs_sandbox()
    assert world.hosts.unnamed() == (key,), "the daemon asked for itself"
    await world.hosts.fresh(key, PATIENCE)
    assert world.stream(key).pause == engine_events.LONGEST_PAUSE
    given_rights.note_gone(given_rights.entries(world.environ))
    await world.left.check()
    assert {*world.hosts._engines} == {key}


@pytest.mark.asyncio
async def test_the_pauses_between_tries_grow_to_their_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    ended = threading.Event()
    events = EngineEvents({}, lambda: None, lambda: None)

    def refuse(_environ: object) -> Any:
        raise EnvironmentFailure("no engine answers", "start it")

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 14:
            events.stop()
            ended.set()

    monkeypatch.setattr(engine_events, "connect_from", refuse)
    monkeypatch.setattr(events, "_again", SimpleNamespace(wait=wait, set=int, clear=int))
    events.pause_at_most(600.0)
    events.start()
    await until(ended.is_set)
    assert pauses[:3] == [0.5, 1.0, 2.0] and pauses[-2:] == [600.0, 600.0]
    assert sum(pauses[:11]) > 600, "some ten tries in the first ten minutes"


@pytest.mark.asyncio
async def test_who_names_an_engine_waits_for_no_long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = threading.Semaphore(0)

    def refuse(_environ: object) -> Any:
        tries.release()
        raise EnvironmentFailure("no engine answers", "start it")

    monkeypatch.setattr(engine_events, "connect_from", refuse)
    monkeypatch.setattr(engine_events, "_FIRST_PAUSE", 600.0)
    events = EngineEvents({}, lambda: None, lambda: None)
    acquire: Callable[..., bool] = tries.acquire
    events.pause_at_most(600.0)
    events.start()
    assert await asyncio.to_thread(acquire, timeout=PATIENCE)
    events.pause_at_most(900.0)
    assert not await asyncio.to_thread(acquire, timeout=0.2), "a longer pause is no reason"
    events.pause_at_most(15.0)
    assert await asyncio.to_thread(acquire, timeout=PATIENCE)
    events.stop()

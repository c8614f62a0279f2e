"""An engine's runtimes are believed only as long as they were really asked for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from sandboxd.daemon import hosts as module
from sandboxd.daemon.hosts import Hosts
from sandboxd.daemon.projects import EngineKey
from sandboxd.host.facts import NOT_YET, Engine, HostFacts, Premise, Runtime
from sandboxd.status.observe import Observed, Run, Sandbox
from tests.patience import PATIENCE, until

ENGINE = EngineKey("unix:///nowhere/docker.sock", None)


class Stream:
    """The engine's events, which the test sends."""

    def __init__(
        self, _environ: object, opened: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self.is_open = True
        self.opened, self.changed = opened, changed

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def pause_at_most(self, seconds: float) -> None: ...


class Probe:
    """Answers with the version `now`; raises or returns what stands in `next`, once."""

    def __init__(self) -> None:
        self.now = "1"
        self.count = 0
        self.next: Any = None

    def __call__(self, *_args: object, **_more: object) -> HostFacts:
        self.count += 1
        answer, self.next = self.next, None
        if isinstance(answer, Exception):
            raise answer
        return answer or facts(self.now)


def facts(version: str = "", error: str = "") -> HostFacts:
    return HostFacts(engine=Engine("unix:///x", version=version, error=error))


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    fake = Probe()
    monkeypatch.setattr(module, "probe", fake)
    monkeypatch.setattr(module, "EngineEvents", Stream)
    monkeypatch.setattr(module.Observer, "observe", lambda *_args: Observed({}))
    monkeypatch.setattr(Hosts.fresh, "__defaults__", (PATIENCE,))
    # A look that is put off comes at the end of its operation alone.
    monkeypatch.setattr(module, "_PUT_OFF_SECONDS", 10 * PATIENCE)
    return fake


@pytest_asyncio.fixture
async def hosts(probe: Probe) -> AsyncIterator[Hosts]:
    result = Hosts({}, set, lambda _key: None, lambda *_: None)
    yield result
    await result.close()


async def version(hosts: Hosts) -> str:
    world = await hosts.fresh(ENGINE)
    assert world.facts is not None and world.facts.engine is not None
    return world.facts.engine.version or ""


def stream(hosts: Hosts) -> Any:
    return hosts._engines[ENGINE].events


@pytest.mark.asyncio
async def test_while_events_would_tell_the_host_is_not_probed_again(
    hosts: Hosts, probe: Probe
) -> None:
    assert await version(hosts) == "1"
    stream(hosts).changed()
    assert await version(hosts) == "1"
    assert probe.count == 1


@pytest.mark.asyncio
async def test_after_a_probe_that_failed_the_old_runtimes_do_not_count_as_current(
    hosts: Hosts, probe: Probe
) -> None:
    assert await version(hosts) == "1"
    probe.now, probe.next = "2", OSError("no answer")
    stream(hosts).opened()
    assert await version(hosts) == "1"  # the only one that is known
    assert not hosts.is_current(ENGINE)
    assert await version(hosts) == "2"
    assert hosts.is_current(ENGINE)


@pytest.mark.asyncio
async def test_an_engine_that_was_opened_anew_while_it_was_asked_is_asked_again(
    hosts: Hosts, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await version(hosts) == "1"
    loop = asyncio.get_running_loop()
    real = probe.__call__

    def interrupted(*args: object, **more: object) -> HostFacts:
        answer = real(*args, **more)
        if probe.count == 2:
            probe.now = "3"
            asyncio.run_coroutine_threadsafe(opened(), loop).result(PATIENCE)
        return answer

    async def opened() -> None:
        stream(hosts).opened()

    monkeypatch.setattr(module, "probe", interrupted)
    probe.now = "2"
    stream(hosts).opened()
    assert await version(hosts) == "3"


@pytest.mark.asyncio
async def test_that_an_engine_does_not_answer_is_not_believed_for_long(
    hosts: Hosts, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe.next = facts(error="it hangs")
    assert await version(hosts) == ""
    monkeypatch.setattr(module, "_ABSENT_SECONDS", 0.0)
    assert await version(hosts) == "1"


@pytest.mark.asyncio
async def test_an_engine_that_fails_at_once_is_not_asked_in_a_loop(
    hosts: Hosts, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> HostFacts:
        probe.count += 1
        raise OSError("no answer")

    monkeypatch.setattr(module, "probe", refuse)
    assert (await hosts.fresh(ENGINE)).facts is None
    assert probe.count == 1


@pytest.fixture
def looks(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each time that the engine's containers were looked at."""
    looks: list[None] = []

    def observe(*_args: object) -> Observed:
        looks.append(None)
        return Observed({})

    monkeypatch.setattr(module.Observer, "observe", observe)
    return looks


@pytest.mark.asyncio
async def test_looks_that_nobody_waits_for_come_once_after_an_operation(
    hosts: Hosts, looks: list[None]
) -> None:
    await version(hosts)
    before = len(looks)
    with hosts.operated(ENGINE):
        for _ in range(5):
            stream(hosts).changed()
            await asyncio.sleep(0.01)
        assert len(looks) == before
        assert not hosts.is_current(ENGINE)
    await until(lambda: hosts.is_current(ENGINE))
    assert len(looks) == before + 1


@pytest.mark.asyncio
async def test_who_asks_while_an_operation_runs_is_answered_from_now(
    hosts: Hosts, looks: list[None]
) -> None:
    await version(hosts)
    before = len(looks)
    with hosts.operated(ENGINE):
        stream(hosts).changed()
        await hosts.fresh(ENGINE)
        assert hosts.is_current(ENGINE)
        assert len(looks) == before + 1


@pytest.mark.asyncio
async def test_a_long_operation_hides_nothing_for_long(
    hosts: Hosts, looks: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PUT_OFF_SECONDS", 0.05)
    await version(hosts)
    with hosts.operated(ENGINE):
        stream(hosts).changed()
        await until(lambda: hosts.is_current(ENGINE))


@pytest.mark.asyncio
async def test_a_new_build_is_tried_while_nobody_waits_and_then_believed(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, tried = threading.Event(), threading.Event()
    runsc = Runtime("runsc", "/r", usable=True, gvisor=True, premises_untried=NOT_YET)

    def probe(_environ: object, *, trial: bool, premises: str = "unknown") -> HostFacts:
        if premises == "unknown":
            assert may_end.wait(PATIENCE)
            tried.set()
        known = (Premise("exec_filter", True, "x"),)
        entry = runsc._replace(premises=known, premises_untried="") if tried.is_set() else runsc
        return HostFacts(engine=Engine("unix:///x", version="1", runtimes=(entry,)))

    monkeypatch.setattr(module, "probe", probe)
    world = await hosts.fresh(ENGINE, PATIENCE)
    assert world.facts is not None and world.facts.has_untried_build
    assert await hosts.facts(ENGINE, 0) is None, "a plan of now would be another in a moment"
    may_end.set()

    def is_known() -> bool:
        facts = hosts.known(ENGINE).facts
        return facts is not None and not facts.has_untried_build

    await until(is_known)
    assert await hosts.facts(ENGINE, PATIENCE) is not None


@pytest.mark.asyncio
async def test_a_sandbox_that_runs_is_known_until_it_ends(
    hosts: Hosts, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await hosts.runs_sandbox()
    runs = [True]

    def observe(*_args: object) -> Observed:
        return Observed({"/p": Sandbox(runs[0])})

    monkeypatch.setattr(module.Observer, "observe", observe)
    assert await version(hosts) == "1"
    assert await hosts.runs_sandbox()
    runs[0] = False
    # No event came: what is known would still be shown.
    assert await hosts.runs_sandbox()
    stream(hosts).changed()
    assert not await hosts.runs_sandbox()


@pytest.mark.asyncio
async def test_while_an_engine_does_not_answer_what_ran_counts_as_running(
    hosts: Hosts, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Observed({"/p": Sandbox(True)})]
    monkeypatch.setattr(module.Observer, "observe", lambda *_: answers[0])
    assert await version(hosts) == "1"
    answers[0] = Observed({}, "the engine does not answer", "")
    stream(hosts).changed()
    assert await hosts.runs_sandbox()
    answers[0] = Observed({})
    monkeypatch.setattr(module, "_ABSENT_SECONDS", 0.0)
    assert not await hosts.runs_sandbox()


@pytest.mark.asyncio
async def test_an_engine_that_does_not_answer_says_of_no_container_that_it_ended(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy one answers again; its containers ran meanwhile, and were to be watched."""
    run = Run("/app", "c1", "run")
    answers = [Observed({}, runs=frozenset({run})), Observed({}, "it hangs"), Observed({})]
    monkeypatch.setattr(module.Observer, "observe", lambda *_args: answers.pop(0))
    told: list[object] = []
    hosts = Hosts({}, set, lambda _key: None, lambda *_: None, lambda _key, runs: told.append(runs))
    await hosts.fresh(ENGINE)
    stream(hosts).changed()
    assert (await hosts.fresh(ENGINE)).observed.problem == "it hangs"
    assert told == [{run}]
    stream(hosts).changed()
    await hosts.fresh(ENGINE)
    assert told == [{run}, frozenset()]
    await hosts.close()

"""The guard of a container whose engine does not answer, and of one that a program inside kept from being read."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sandboxd.engine import failures
from sandboxd.halt import stop, versions
from sandboxd.halt.guard import Guard
from sandboxd.halt.record import Owner, Reason
from sandboxd.observe import pins
from sandboxd.observe.pin import Pin, State, Witness
from tests.unit.halt.played import PlayedEngine, guard_of, replace
from tests.unit.observe.test_open_links import inspected
from tests.unit.plan.test_entrances import make


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "sub").mkdir(parents=True)
    for name in (".envrc", "sub/.envrc"):
        (folder / name).write_text("host")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_what_was_written_is_put_aside_although_no_engine_answers(
    workspace: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PlayedEngine()
    guard = guard_of(engine, workspace)
    engine.failure = failures.unreachable("unix:///x", TimeoutError(), 2.0)
    monkeypatch.setattr(stop, "_are_stopped", lambda _procs: True)
    replace(workspace / ".envrc", "evil")
    for _ in range(2):
        with pytest.raises(stop.Silent):
            guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert (workspace / ".envrc").read_text() == "host"
    assert not (workspace / ".envrc.halted-2").exists()
    engine.failure = None
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (entry,) = halt.entries
    assert entry.outcome is not None and entry.outcome.aside == ".envrc.halted"


def test_nothing_is_put_aside_while_it_runs_and_no_engine_answers(
    workspace: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    guard = guard_of(engine, workspace)
    engine.failure = failures.unreachable("unix:///x", TimeoutError(), 2.0)
    replace(workspace / ".envrc", "evil")
    with pytest.raises(stop.Silent):
        guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert (workspace / ".envrc").read_text() == "evil"


@pytest.fixture
def unreadable(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    """A guard that was made while a program inside kept `.envrc` from being read; it can be read again now."""

    can_hold = versions.Held

    def held(path: str) -> versions.Held:
        if path.endswith("/app/.envrc"):
            raise PermissionError
        return can_hold(path)

    with monkeypatch.context() as patched:
        patched.setattr(versions, "Held", held)
        return guard_of(PlayedEngine(), workspace)


def played(state: State) -> tuple[Pin, ...]:
    return (Pin(".envrc", "/w/.envrc", "", state, Witness.FIRST_PROCESS),)


def test_what_could_not_be_read_at_first_is_held_once_it_can(
    workspace: Path, environ: dict[str, str], unreadable: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "look", lambda *_: played(State.HOLDS))
    unreadable.hold_again()
    replace(workspace / ".envrc", "evil")
    assert unreadable.halt(environ, Owner.DAEMON, Reason.REPLACED) is not None
    assert (workspace / ".envrc").read_text() == "host"


def test_what_could_never_be_read_is_put_aside(
    workspace: Path, environ: dict[str, str], unreadable: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(workspace / ".envrc", "evil")
    monkeypatch.setattr(pins, "look", lambda *_: played(State.LOST))
    # What is opened now is not what was mounted.
    unreadable.hold_again()
    assert unreadable.has_lost_mounts()
    assert unreadable.halt(environ, Owner.DAEMON, Reason.REPLACED) is not None
    assert not (workspace / ".envrc").exists()
    assert (workspace / ".envrc.halted").read_text() == "evil"


def test_what_git_names_while_all_is_held_is_the_host_s_own(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make(tmp_path / "work")
    engine = PlayedEngine()
    guard = Guard(engine, inspected(repository, State={"Pid": 0}))  # type: ignore[arg-type]
    engine.failure = failures.unreachable("unix:///x", TimeoutError(), 2.0)
    monkeypatch.setattr(guard, "_by_signal", True)
    monkeypatch.setattr(stop, "_are_stopped", lambda _procs: True)
    with (repository / ".git/config").open("a") as file:
        file.write("[core]\n\thooksPath = hooks-of-app\n")
    (repository / "hooks-of-app").mkdir()
    with pytest.raises(stop.Silent):
        guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert (repository / "hooks-of-app.halted").is_dir()
    (repository / "hooks-of-user").mkdir()
    with (repository / ".git/config").open("a") as file:
        file.write("hooksPath = hooks-of-user\n")
    for failure in (engine.failure, None):
        engine.failure = failure
        with contextlib.suppress(stop.Silent):
            guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
        assert (repository / "hooks-of-user").is_dir()


def test_what_was_made_anew_at_a_named_path_since_a_held_moment_is_put_aside(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """gVisor's processes go on for a moment, once an engine that was silent carries out the pause."""
    repository = make(tmp_path / "work")
    engine = PlayedEngine()
    guard = Guard(engine, inspected(repository, State={"Pid": 0}))  # type: ignore[arg-type]
    engine.failure = failures.NoAnswer("no answer", "wait")
    monkeypatch.setattr(guard, "_by_signal", False)
    monkeypatch.setattr(stop, "_are_stopped", lambda _procs: True)
    with (repository / ".git/config").open("a") as file:
        file.write("[core]\n\thooksPath = hooks-of-app\n")
    engine.while_pausing = (repository / "hooks-of-app").mkdir
    with pytest.raises(stop.Silent):
        guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    engine.failure = None
    assert guard.halt(environ, Owner.DAEMON, Reason.REPLACED) is not None
    assert (repository / "hooks-of-app.halted").is_dir()
    assert (repository / "hooks-of-app.halted-2").is_dir()

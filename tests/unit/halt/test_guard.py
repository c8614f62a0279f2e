"""The guard of a container on an engine that is played."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.engine import failures
from sandboxd.halt import record, stop, unwatched, words
from sandboxd.halt.guard import Guard
from sandboxd.halt.points import What
from sandboxd.halt.record import Ended, Owner, Reason
from sandboxd.halt.verdict import Action
from sandboxd.observe import host_process, pins
from sandboxd.observe.pin import Pin, State, Witness
from tests.unit.halt.played import PlayedEngine, guard_of, replace
from tests.unit.observe.test_open_links import inspected
from tests.unit.plan.test_entrances import COMMIT, make, name
from tests.unit.plan.test_git_control import git, with_submodule


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "sub").mkdir(parents=True)
    (folder / ".envrc").write_text("host")
    (folder / "sub/.envrc").write_text("sub")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_nothing_is_lost_by_writing_in_place(workspace: Path) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    (workspace / ".envrc").write_text("in place")
    (workspace / "main.py").write_text("x")
    assert guard.lost() == ()


def test_what_was_written_until_the_halt_is_put_aside(
    workspace: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    guard = guard_of(engine, workspace)
    engine.while_pausing = lambda: (workspace / ".envrc").write_text("evil")
    replace(workspace / ".envrc", "new of the host")
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and engine.paused == ["c1"]
    assert (workspace / ".envrc").read_text() == "host"
    assert (workspace / ".envrc.halted").read_text() == "evil"
    assert record.open_halt(environ, str(workspace), "c1") == halt


def test_what_is_replaced_after_the_halt_is_left_and_belongs_to_it(
    workspace: Path, environ: dict[str, str]
) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    (workspace / ".envrc").unlink()
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    replace(workspace / "sub/.envrc", "later")
    completed = guard.complete(environ, halt)
    assert [(entry.path, entry.what) for entry in completed.entries] == [
        (".envrc", What.REMOVED),
        ("sub/.envrc", What.REPLACED),
    ]
    assert (workspace / "sub/.envrc").read_text() == "later"
    assert record.load(environ, str(workspace), "c1") == completed


def test_what_was_removed_only_to_be_made_anew_was_replaced(
    workspace: Path, environ: dict[str, str]
) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    (workspace / ".envrc").unlink()
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (workspace / ".envrc").write_text("by git")
    completed = guard.complete(environ, halt)
    assert [entry.what for entry in completed.entries] == [What.REPLACED]
    assert record.load(environ, str(workspace), "c1") == completed


def test_a_halt_that_was_ended_meanwhile_stays_ended(shared: Path, environ: dict[str, str]) -> None:
    ours = guard_of_repository(PlayedEngine(), shared)
    name(shared, "lib")
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    ended = record.end(environ, halt.sandbox, halt.container, Ended.REMADE, halt.at + 1)
    (shared / "late/.git").mkdir(parents=True)
    name(shared, "late")
    assert ours.complete(environ, halt) == halt
    assert (shared / "late/.git").is_dir(), "the next container may have it mounted"
    assert record.load(environ, halt.sandbox, "c1") == ended


def test_a_folder_above_a_pin_exposes_it(workspace: Path, environ: dict[str, str]) -> None:
    engine = PlayedEngine()
    guard = guard_of(engine, workspace)
    (workspace / "sub").rename(workspace / "away")

    def attack() -> None:
        (workspace / "sub").mkdir()
        (workspace / "sub/.envrc").write_text("evil")

    engine.while_pausing = attack
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    by_path = {entry.path: entry for entry in halt.entries}
    assert by_path["sub"].what is What.REPLACED
    outcome = by_path["sub/.envrc"].outcome
    assert outcome is not None and outcome.action is Action.PUT_BACK
    assert (workspace / "sub/.envrc").read_text() == "sub"


def test_one_that_does_not_run_any_more_is_no_halt(
    workspace: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    engine.failure = failures.gone()
    guard = guard_of(engine, workspace)
    (workspace / ".envrc").unlink()
    assert guard.halt(environ, Owner.DAEMON, Reason.REPLACED) is None
    assert record.load(environ, str(workspace), "c1") is None


def test_what_was_written_before_a_container_ended_itself_is_put_aside(
    workspace: Path, environ: dict[str, str]
) -> None:
    """A program inside can do both before anybody stops it."""
    engine = PlayedEngine()
    engine.failure = failures.gone()
    guard = guard_of(engine, workspace)
    replace(workspace / ".envrc", "evil")
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and not halt.is_stopped
    assert (workspace / ".envrc").read_text() == "host"
    assert (workspace / ".envrc.halted").read_text() == "evil"
    assert record.open_halt(environ, str(workspace), "c1") == halt


@pytest.mark.parametrize("runs", [True, False])
def test_a_container_that_ended_with_its_engine_is_known_by_its_process(
    workspace: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    engine = PlayedEngine()
    engine.failure = failures.unreachable("unix:///x", ConnectionRefusedError(), 1.0)
    with monkeypatch.context() as patched:
        patched.setattr(host_process, "is_of", lambda *_: True)
        guarded = guard_of(engine, workspace)
    monkeypatch.setattr(host_process, "is_of", lambda *_: runs)
    (workspace / ".envrc").unlink()
    if runs:
        with pytest.raises(stop.Silent):
            guarded.halt(environ, Owner.DAEMON, Reason.REPLACED)
    else:
        assert guarded.halt(environ, Owner.DAEMON, Reason.REPLACED) is None


def test_a_second_name_of_what_is_shut_halts_and_what_was_written_by_it_is_put_aside(
    workspace: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    assert guard.shut_files == (str(workspace / ".envrc"), str(workspace / "sub/.envrc"))
    (workspace / "second").hardlink_to(workspace / ".envrc")
    linked = Pin(".envrc", "/w/.envrc", "", State.LINKED, Witness.FIRST_PROCESS)
    monkeypatch.setattr(pins, "look", lambda *_: (linked,))
    assert guard.has_lost_mounts()
    (workspace / "second").write_text("evil")
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    assert [(entry.path, entry.what) for entry in halt.entries] == [(".envrc", What.LINKED)]
    assert not (workspace / ".envrc").exists()
    assert (workspace / ".envrc.halted").read_text() == "evil"
    assert "a hard link was made to `.envrc` on the host" in words.describe(halt)


def test_one_that_somebody_paused_is_halted_all_the_same(
    workspace: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    engine.failure = failures.refused(409, "Container c1 is already paused")
    engine.state = {"Running": True, "Paused": True}
    guard = guard_of(engine, workspace)
    replace(workspace / ".envrc", "evil")
    assert guard.halt(environ, Owner.DAEMON, Reason.REPLACED) is not None
    assert (workspace / ".envrc").read_text() == "host"


def test_nothing_is_put_back_while_it_runs(workspace: Path, environ: dict[str, str]) -> None:
    engine = PlayedEngine()
    engine.failure = failures.refused(500, "cannot pause container")
    guard = guard_of(engine, workspace)
    replace(workspace / ".envrc", "new")
    with pytest.raises(failures.EngineFailure):
        guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert (workspace / ".envrc").read_text() == "new"


def test_the_same_file_back_at_its_path_has_lost_its_mount(
    workspace: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guard_of(PlayedEngine(), workspace)
    source = str(workspace / ".envrc")
    gone = Pin(".envrc", "/w/.envrc", source, State.LOST, Witness.FIRST_PROCESS, "gone", True)
    monkeypatch.setattr(pins, "look", lambda _subject: (gone,))
    (workspace / "other").hardlink_to(workspace / ".envrc")
    (workspace / ".envrc").unlink()
    (workspace / "other").rename(workspace / ".envrc")
    (workspace / ".envrc").write_text("evil")
    assert guard.lost() == ()
    assert guard.has_lost_mounts()
    guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    # What is held is the same file, so that nothing of the host's own is left to put back.
    assert not (workspace / ".envrc").exists()
    assert (workspace / ".envrc.halted").read_text() == "evil"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A repository whose `.git` inside is another one, and whose index names nothing yet."""
    repository = make(tmp_path / "shared")
    (repository / "lib").mkdir()
    return repository


def guard_of_repository(engine: PlayedEngine, repository: Path, made: str = "") -> Guard:
    return Guard(engine, inspected(repository, made=made, State={"Pid": 0}))  # type: ignore[arg-type]


def test_a_repository_that_the_index_comes_to_name_halts_and_what_was_ready_is_put_aside(
    shared: Path, environ: dict[str, str]
) -> None:
    engine = PlayedEngine()
    ours = guard_of_repository(engine, shared)
    assert ours.lost() == () and str(shared / ".git/index") in ours.lists()[0]
    (shared / "lib/.git").mkdir()
    name(shared, "lib")
    assert [(lost.path, lost.what) for lost in ours.lost()] == [
        (str(shared / "lib/.git"), What.ENTERED)
    ]
    engine.while_pausing = lambda: (shared / "lib/.git/config").write_text("evil")
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (entry,) = halt.entries
    assert entry.outcome is not None and entry.outcome.action is Action.SET_ASIDE
    assert (shared / "lib/.git.halted/config").read_text() == "evil"
    assert record.load(environ, str(shared), "c1") == halt
    text = words.describe(halt)
    assert text.startswith("git on the host goes into `lib/.git`, which its index names since")
    assert "`mv lib/.git.halted lib/.git` takes it if it is yours" in text


def test_a_submodule_in_the_hosts_own_folder_is_left(shared: Path, environ: dict[str, str]) -> None:
    ours = guard_of_repository(PlayedEngine(), shared)
    with_submodule(shared)
    before = (shared / "deps/lib/.git").read_text()
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    assert [entry.path for entry in halt.entries] == [".gitmodules", "deps/lib/.git"]
    assert (shared / ".gitmodules").exists()
    assert (shared / "deps/lib/.git").read_text() == before


def test_a_work_tree_that_the_host_adds_halts_and_its_own_file_is_left(
    shared: Path, environ: dict[str, str]
) -> None:
    git(shared, *COMMIT)
    ours = guard_of_repository(PlayedEngine(), shared)
    git(shared, "worktree", "add", "-q", "trees/two")
    assert ours.has_lost() and f"{shared}/.git/worktrees/two/gitdir" in ours.lists()[0]
    before = (shared / "trees/two/.git").read_text()
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (entry,) = halt.entries
    assert (entry.path, entry.what, entry.outcome) == ("trees/two/.git", What.LISTED, None)
    assert (shared / "trees/two/.git").read_text() == before
    assert "goes into `trees/two/.git`, which its list of work trees names since" in words.describe(
        halt
    )


def test_a_work_tree_s_file_that_leads_elsewhere_is_put_aside(
    shared: Path, environ: dict[str, str]
) -> None:
    git(shared, *COMMIT)
    engine = PlayedEngine()
    ours = guard_of_repository(engine, shared)
    git(shared, "worktree", "add", "-q", "trees/two")
    file = shared / "trees/two/.git"
    engine.while_pausing = lambda: file.write_text("gitdir: ../../lib\n")
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and not file.exists()
    assert (shared / "trees/two/.git.halted").read_text() == "gitdir: ../../lib\n"
    assert "`mv trees/two/.git.halted trees/two/.git` takes it if it is yours" in words.describe(
        halt
    )


def test_a_submodule_that_is_being_added_halts_before_the_index_names_it(
    shared: Path, environ: dict[str, str]
) -> None:
    ours = guard_of_repository(PlayedEngine(), shared)
    (shared / ".git/modules/lib").mkdir(parents=True)
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and [entry.what for entry in halt.entries] == [What.ADDED]
    assert words.describe(halt).startswith("git on the host adds the submodule `lib`")
    assert record.load(environ, str(shared), "c1") == halt


def test_a_link_in_the_place_of_a_repository_is_put_aside(
    shared: Path, environ: dict[str, str]
) -> None:
    ours = guard_of_repository(PlayedEngine(), shared)
    (shared / "evil").mkdir()
    (shared / "lib").rmdir()
    (shared / "lib").symlink_to("evil")
    name(shared, "lib")
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and (shared / "lib.halted").is_symlink()
    assert not (shared / "lib").is_symlink()


def test_what_the_index_names_after_the_halt_belongs_to_it(
    shared: Path, environ: dict[str, str]
) -> None:
    ours = guard_of_repository(PlayedEngine(), shared)
    name(shared, "lib")
    halt = ours.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    (shared / "late/.git").mkdir(parents=True)
    name(shared, "late")
    completed = ours.complete(environ, halt)
    assert [entry.path for entry in completed.entries] == ["late/.git", "lib/.git"]
    assert (shared / "late/.git.halted").is_dir()


def test_a_command_halts_what_nobody_watched(
    shared: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name(shared, "lib")
    running = {**inspected(shared), "State": {"Running": True, "Pid": os.getpid()}}
    engine = PlayedEngine()
    halt = unwatched.compare(engine, running, environ)  # type: ignore[arg-type]
    assert halt is not None and halt.reason is Reason.UNWATCHED and engine.paused == ["c1"]

"""The keeper without events: the sweep finds every change by itself, and nothing blocks the loop."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from sandboxd.daemon import generation, watch, work
from sandboxd.daemon import keeper as keeper_module
from sandboxd.daemon.generation import Generation
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.places import Place
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.registry_file import load, registry_path
from sandboxd.egress.policy import Policy
from sandboxd.errors import DaemonError
from sandboxd.plan.generate import MAIN_FILE
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights
from sandboxd.status.observe import Observed, Sandbox
from tests.patience import PATIENCE, until

ENGINE = EngineKey("unix:///nowhere/docker.sock", None)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of the host is waited for."""
    monkeypatch.setattr(generation, "FIRST_FACTS_SECONDS", PATIENCE)


def environ(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": "/usr/bin",
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


def project(home: Path) -> Path:
    folder = home / "app"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text('image = "a"\n')
    return folder


@pytest.mark.asyncio
async def test_polling_keeps_files_generated(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> Any:
        raise OSError("too many open files")

    monkeypatch.setattr("sandboxd.daemon.listening.watch", refuse)
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(watch, "SWEEP_SECONDS", 0.05)
    events: list[Any] = []
    keeper = Keeper(environ(own_home), events.append, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    await keeper.register(str(folder), ENGINE)
    generated = folder / ".devcontainer" / "devcontainer.json"
    assert '"image": "a"' in generated.read_text()
    (folder / "sandboxd.toml").write_text('image = "bb"\n')
    await until(lambda: '"image": "bb"' in generated.read_text())
    await until(lambda: keeper.watching.watcher.problem)
    assert "no file events" in keeper.watching.watcher.problem
    await keeper.close()


@pytest.mark.asyncio
async def test_a_start_of_a_project_that_is_kept_has_it_written_again_only_if_it_has_to_be(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = work.generate

    def generate(path: str, *rest: Any) -> Any:
        looked.append(path)
        return real(path, *rest)

    scanned: list[bool] = []
    look = Generation.look

    async def watched(self: Generation, *arguments: Any) -> None:
        await look(self, *arguments)
        scanned.append(True)

    monkeypatch.setattr(work, "generate", generate)
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    registered = asyncio.create_task(keeper.register(str(folder), ENGINE))
    await until(lambda: looked == [str(folder)])
    monkeypatch.setattr(Generation, "look", watched)
    # What a start of the sandbox makes in the workspace, unless the daemon has made it by now.
    (folder / ".devcontainer.json").mkdir(exist_ok=True)
    keeper.register_soon(str(folder), ENGINE, False)
    await until(lambda: scanned)
    assert len(looked) == 1, "it was checked again although nothing of it changed"
    keeper.register_soon(str(folder), ENGINE, True)
    await until(lambda: len(looked) == 2)
    await registered
    await keeper.close()


@pytest.mark.asyncio
async def test_a_start_alone_writes_no_generated_file_into_the_users_folder(
    own_home: Path,
) -> None:
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    keeper.register_soon(str(folder), ENGINE, True)
    await until(lambda: keeper.projects.get(str(folder)) is not None)
    await keeper.settled(str(folder), PATIENCE)
    assert os.listdir(folder) == ["sandboxd.toml"]
    await keeper.register(str(folder), ENGINE)
    assert (folder / MAIN_FILE).is_file()
    (folder / MAIN_FILE).unlink()
    # One that was kept stays so, whatever became of its file.
    keeper.register_soon(str(folder), ENGINE, True)
    await until(lambda: (folder / MAIN_FILE).is_file())
    await keeper.close()


@pytest.mark.asyncio
async def test_a_bug_in_generating_is_an_event_and_the_next_save_works(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd.project import Project

    real = Project.write

    def explode(*_args: Any) -> Any:
        raise ZeroDivisionError("oops")

    events: list[Any] = []
    keeper = Keeper(environ(own_home), events.append, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    monkeypatch.setattr(Project, "write", explode)
    await keeper.register(str(folder), ENGINE)
    assert events[-1]["kind"] == "failed"
    assert "ZeroDivisionError" in events[-1]["message"]
    monkeypatch.setattr(Project, "write", real)
    (folder / "sandboxd.toml").write_text('image = "b"\n')
    await until(lambda: any(event["kind"] == "regenerated" for event in events))
    await keeper.close()


@pytest.mark.asyncio
async def test_nothing_old_is_shown_when_the_look_at_files_takes_too_long(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    await keeper.register(str(folder), ENGINE)
    tracked = keeper.projects[str(folder)]
    await until(lambda: not tracked.is_due)

    async def hang(_paths: object) -> list[Any]:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(keeper.watching, "changed", hang)
    await keeper.settled(str(folder), 0.05)
    assert tracked.is_due, "what was known before passes as what is there now"
    await until(lambda: not tracked.is_due)
    await keeper.close()


@pytest.mark.asyncio
async def test_a_rule_that_raises_is_reported_once_and_the_others_go_on(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd import rules

    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    weak = folder / ".devcontainer" / "devcontainer.json"
    weak.parent.mkdir()
    weak.write_text('{"image": "x", "privileged": true, "runArgs": ["--pid=host"]}\n')
    await keeper.register(str(folder), ENGINE)
    whole = keeper.projects[str(folder)].examined

    def explode(*_args: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(rules.get("privileged-container"), "check", explode)
    (folder / "sandboxd.toml").write_text('image = "b"\n')
    await until(lambda: not keeper.projects[str(folder)].is_due)
    await keeper.settled(str(folder), PATIENCE)
    broken = keeper.projects[str(folder)].examined
    assert whole is not None and whole.counts is not None
    assert broken is not None and broken.counts is not None
    assert broken.counts.error == whole.counts.error - 1 >= 1
    assert broken.counts.skipped == whole.counts.skipped + 1
    assert '"image": "b"' in (weak.parent / "sandboxd" / "devcontainer.json").read_text()
    await keeper.close()


@pytest.mark.asyncio
async def test_looking_at_the_host_and_generating_happen_beside_the_loop(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd.daemon import hosts, work

    real_probe, real_generate = hosts.probe, work.generate
    threads: list[threading.Thread] = []

    def probe_noted(*args: Any, **more: Any) -> Any:
        threads.append(threading.current_thread())
        return real_probe(*args, **more)

    def generate_noted(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return real_generate(*args)

    monkeypatch.setattr(hosts, "probe", probe_noted)
    monkeypatch.setattr(work, "generate", generate_noted)
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    await keeper.register(str(project(own_home)), ENGINE)
    assert len(threads) >= 2
    assert threading.current_thread() not in threads
    await keeper.close()


@pytest.mark.asyncio
async def test_a_host_that_does_not_answer_is_said_and_tried_again(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd.daemon import hosts

    answered = threading.Event()

    def hang(*_args: Any, **_more: Any) -> Any:
        answered.wait(PATIENCE)
        raise OSError

    monkeypatch.setattr(generation, "FIRST_FACTS_SECONDS", 0.1)
    monkeypatch.setattr(watch, "SWEEP_SECONDS", 0.2)
    events: list[Any] = []
    keeper = Keeper(environ(own_home), events.append, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    real = hosts.probe
    monkeypatch.setattr(hosts, "probe", hang)
    await keeper.register(str(folder), ENGINE)
    assert events[-1]["kind"] == "failed"
    assert not (folder / ".devcontainer").exists()
    monkeypatch.setattr(hosts, "probe", real)
    answered.set()
    await until(lambda: any(event["kind"] == "regenerated" for event in events))
    await keeper.close()


@pytest.mark.asyncio
async def test_a_keeper_that_ended_takes_up_nothing(own_home: Path) -> None:
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    await keeper.close()
    with pytest.raises(DaemonError, match="does not take up"):
        # At once, not only for those who wait for the end.
        keeper.register(str(project(own_home)), ENGINE)


@pytest.mark.asyncio
async def test_a_project_whose_folder_is_gone_is_forgotten_after_a_day(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SWEEP_SECONDS", 0.1)
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    await keeper.register(str(folder), ENGINE)
    shutil.rmtree(folder)
    await until(lambda: not keeper.projects[str(folder)].scan.exists)
    await until(lambda: keeper.projects[str(folder)].missing_since is not None)
    looks: list[bool] = []
    real = keeper.watching._swept
    monkeypatch.setattr(keeper.watching, "_swept", lambda: (real(), looks.append(True)))
    await until(lambda: len(looks) == 2)
    assert str(folder) in keeper.projects
    await keeper.close()
    monkeypatch.setattr(keeper_module, "MISSING_SECONDS", -1.0)
    again = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await again.start()
    await until(lambda: str(folder) not in again.projects)
    await again.close()
    assert load(registry_path(environ(own_home))).projects == []


@pytest.mark.asyncio
async def test_a_project_that_vanishes_before_it_is_watched_is_seen_to_be_gone(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []
    keeper = Keeper(environ(own_home), events.append, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)

    async def not_yet() -> None:
        pass

    with monkeypatch.context() as patched:
        patched.setattr(keeper.watching, "watch_all", not_yet)
        await keeper.register(str(folder), ENGINE)
        folder.rename(own_home / "away")
    keeper.watching.rewatch()
    await until(lambda: any(event["kind"] == "gone" for event in events))
    (own_home / "away").rename(folder)
    await until(lambda: any(event["kind"] == "back" for event in events))
    await keeper.close()


@pytest.mark.asyncio
async def test_a_policy_that_appears_has_each_project_looked_at_once(own_home: Path) -> None:
    events: list[Any] = []
    keeper = Keeper(environ(own_home), events.append, str(own_home / "own"))
    await keeper.start()
    folder = project(own_home)
    await keeper.register(str(folder), ENGINE)
    (own_home / ".config").mkdir()
    await until(lambda: str(own_home / ".config") in keeper.watching.watcher.armed)
    # The new folder itself is a change, which has been looked at by now, or is looked at here.
    await keeper.settled(None, PATIENCE)
    events.clear()
    prepared = own_home / "prepared"
    prepared.mkdir()
    (prepared / "policy.toml").write_text('network = "none"\n')
    prepared.rename(own_home / ".config" / "sandboxd")
    await until(lambda: [e for e in events if e["kind"] != "unchanged"])
    await keeper.settled(None, PATIENCE)
    # A look at the folder that came before may end behind `clear`; it found nothing new.
    assert [e["kind"] for e in events if e["kind"] != "unchanged"] == ["regenerated"]
    await keeper.close()


@pytest.mark.asyncio
async def test_to_watch_anew_is_no_reason_to_look_at_everything(own_home: Path) -> None:
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    await keeper.register(str(project(own_home)), ENGINE)
    await keeper.watching.watch_all()
    assert keeper.watching.watcher.problem == ""
    assert not keeper.watching._doubt.is_set()
    await keeper.close()


@pytest.mark.asyncio
async def test_a_sandbox_of_a_project_is_followed_on_each_engine(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EngineKey("unix:///elsewhere/docker.sock", None)
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    path = str(project(own_home))
    await keeper.register(path, ENGINE)
    followed: list[object] = []
    monkeypatch.setattr(keeper.local_rights, "update", lambda *seen: followed.append(seen))
    for key, container in ((ENGINE, "c1"), (other, "c2")):
        sandbox = Sandbox(True, id=container)
        keeper._sandbox_changed(key, path, Observed({path: sandbox}))
    here, there = Place("unix:///nowhere/docker.sock", path), Place(other.host or "", path)
    assert followed == [(here, ENGINE, "c1"), (there, other, "c2")]
    followed.clear()
    # Whoever registers it anew for another engine ends nothing on the one of before.
    await keeper.register(path, other)
    assert followed == [(here, ENGINE, "c1"), (there, other, "c2")]
    followed.clear()
    keeper._sandbox_changed(other, path, Observed({}))
    assert followed == [(there, other, "")]
    await keeper.close()


@pytest.mark.asyncio
async def test_an_engine_on_which_something_was_given_is_followed_from_the_start(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project was registered for another one since, or for none."""
    variables = environ(own_home) | {"DOCKER_HOST": "unix:///elsewhere/docker.sock"}
    given_rights.keep(variables, str(own_home / "app"), GivenRights("c1", "d", Policy()))
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    await keeper.start()
    assert [key.host for key in keeper.hosts._engines] == ["unix:///elsewhere/docker.sock"]
    await keeper.close()

"""What a policy, a grant or a record takes back is taken back at once, whatever goes on in the projects."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.daemon import policies
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.places import Place
from sandboxd.daemon.policies import Policies
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.scan import FolderStamp, stamp_of_folder
from sandboxd.policy import floor
from tests.patience import PATIENCE, until

ENGINE = EngineKey("unix:///nowhere/docker.sock", None)


def environ(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": "/usr/bin",
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


@pytest.fixture
def folder(own_home: Path) -> Path:
    made = own_home / ".config" / "sandboxd"
    made.mkdir(parents=True)
    return made


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["policy.toml", "trust.toml", "credentials.toml"])
async def test_an_edit_wakes_all_loops_while_looks_at_projects_hang(
    own_home: Path, folder: Path, name: str
) -> None:
    woken: list[str] = []
    freed = threading.Event()
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    for sandbox in ("/one", "/two"):
        loop: Any = SimpleNamespace(
            wake=lambda sandbox=sandbox: woken.append(sandbox),
            stop=lambda: None,
            close=lambda: None,
        )
        keeper.gateways._attendants[Place("one", sandbox)] = loop
        keeper.local_rights._holdings[Place("one", sandbox)] = loop
    await keeper.start()
    hanging = [asyncio.create_task(keeper._threads.run(freed.wait, PATIENCE)) for _ in range(8)]
    try:
        (folder / name).write_text("")
        await until(lambda: min(map(woken.count, ("/one", "/two"))) >= 2, lambda: woken)
        assert not any(task.done() for task in hanging)
    finally:
        freed.set()
        await asyncio.gather(*hanging)
        await keeper.close()


@pytest.mark.asyncio
async def test_a_save_of_a_config_wakes_its_sandboxes_while_looks_at_projects_hang(
    own_home: Path,
) -> None:
    woken: list[str] = []
    freed = threading.Event()
    project = own_home / "app"
    project.mkdir()
    keeper = Keeper(environ(own_home), lambda _event: None, str(own_home / "own"))
    for sandbox in (str(project), "/other"):
        loop: Any = SimpleNamespace(
            wake=lambda sandbox=sandbox: woken.append(sandbox),
            stop=lambda: None,
            close=lambda: None,
        )
        keeper.gateways._attendants[Place("one", sandbox)] = loop
        keeper.local_rights._holdings[Place("one", sandbox)] = loop
    await keeper.start()
    keeper.registry.add(Tracked(str(project), ENGINE))
    hanging = [asyncio.create_task(keeper._threads.run(freed.wait, PATIENCE)) for _ in range(8)]
    try:
        keeper.watching._on_change({str(project / "another.toml")}, time.monotonic())
        assert woken == []
        keeper.watching._on_change({str(project / "sandboxd.toml")}, time.monotonic())
        assert woken == [str(project)] * 2 and not any(task.done() for task in hanging)
    finally:
        freed.set()
        await asyncio.gather(*hanging)
        await keeper.close()


class Looking:
    """A user's policies that are looked at all the time; `changes` counts what was noticed."""

    def __init__(self, home: Path) -> None:
        self.changes = 0
        self.policies = Policies(environ(home), self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def __aenter__(self) -> Looking:
        await self.policies.look()
        self._task = asyncio.create_task(self.policies.look_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.mark.asyncio
async def test_an_edit_behind_a_link_is_seen_without_an_event(
    own_home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a policy among the user's dotfiles: no event of the folder tells of it."""
    monkeypatch.setattr(policies, "LOOK_SECONDS", 0.01)
    kept = own_home / "dotfiles"
    kept.mkdir()
    (kept / "policy.toml").write_text("")
    (kept / "linked").symlink_to("policy.toml")
    (folder / "policy.toml").symlink_to(kept / "linked")
    async with Looking(own_home) as looking:
        (kept / "policy.toml").write_text('network = "none"\n')
        await until(lambda: looking.changes)
        seen = looking.changes
        (kept / "another.toml").write_text('network = "none"\n# of another size\n')
        (kept / "linked").unlink()
        (kept / "linked").symlink_to("another.toml")
        await until(lambda: looking.changes > seen)


@pytest.mark.asyncio
async def test_a_look_at_what_did_not_change_tells_nothing(own_home: Path, folder: Path) -> None:
    (folder / "policy.toml").write_text("")
    looking = Looking(own_home)
    for _ in range(3):
        await looking.policies.look()
    assert looking.changes == 0
    (folder / "trust.toml").write_text("")
    await looking.policies.look()
    await looking.policies.look()
    assert looking.changes == 1


@pytest.mark.asyncio
async def test_an_edit_of_a_service_of_the_users_own_is_seen(own_home: Path, folder: Path) -> None:
    """Where its secret may go is taken back by it."""
    own = folder / "services" / "my-own.toml"
    own.parent.mkdir()
    own.write_text('paths = ["/"]')
    looking = Looking(own_home)
    await looking.policies.look()
    own.write_text('paths = ["/only/"]')
    await looking.policies.look()
    assert looking.changes == 1


@pytest.mark.asyncio
async def test_a_policy_that_can_be_read_again_has_changed(own_home: Path, folder: Path) -> None:
    """Its last edit was seen while nobody could read it, and no other may ever come."""
    (folder / "policy.toml").write_text("")
    (folder / "policy.toml").chmod(0o200)
    looking = Looking(own_home)
    await looking.policies.look()
    (folder / "policy.toml").chmod(0o600)
    await looking.policies.look()
    assert looking.changes == 1


@pytest.mark.asyncio
async def test_the_folder_is_watched_from_the_nearest_one_that_exists(own_home: Path) -> None:
    watched = Policies(environ(own_home), lambda: None)
    config = own_home / ".config"
    await watched.look()
    assert str(own_home) in watched.nearest()
    config.mkdir()
    await watched.look()
    assert str(config) in watched.nearest()
    assert watched.are_below({str(config)}) and not watched.are_touched({str(config)})
    assert not watched.are_below({str(config / "other")})
    assert watched.are_touched({str(config / "sandboxd")})


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["policy.toml", "trust.toml", "egress.toml", "credentials.toml"])
async def test_no_number_of_other_files_hides_an_edit(
    own_home: Path, folder: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for number in range(80):
        (folder / f"a{number}.toml").write_text("")
    (folder / name).write_text("")
    looking = Looking(own_home)
    await looking.policies.look()
    (folder / name).write_text("# edited\n")
    await looking.policies.look()
    assert looking.changes == 1
    assert [each.message for each in caplog.records] == [
        f"`{folder}` has 16 more files beside those that are compared"
    ]


@pytest.mark.asyncio
async def test_a_folder_that_hangs_keeps_no_edit_in_another_one(
    own_home: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as a home on a share whose server is gone."""
    organisation = tmp_path / "organisation"
    organisation.mkdir()
    monkeypatch.setattr(floor, "ORGANISATION", str(organisation / "policy.toml"))
    monkeypatch.setattr(policies, "ANSWER_SECONDS", 0.05)
    answers, began = threading.Event(), []

    def look(path: str, names: tuple[str, ...]) -> FolderStamp:
        if path == str(folder):
            began.append(path)
            answers.wait(PATIENCE)
        return stamp_of_folder(path, names)

    looking = Looking(own_home)
    await looking.policies.look()
    monkeypatch.setattr(policies, "stamp_of_folder", look)
    for number in range(3):
        (organisation / "policy.toml").write_text(number * "# edited\n")
        async with asyncio.timeout(PATIENCE):
            while looking.changes <= number:
                await looking.policies.look()
    assert len(began) == 1, "one call of it hangs, and not one for each look"
    # The other one may be slow on a busy machine, and is then said to be.
    said = [each.message for each in caplog.records if f"`{folder}`" in each.message]
    assert len(said) == 1 and "does not answer" in said[0]
    (folder / "trust.toml").write_text("")
    answers.set()
    monkeypatch.setattr(policies, "ANSWER_SECONDS", PATIENCE)
    await looking.policies.look()
    assert looking.changes == 4, "what was saved meanwhile is seen once it answers"


def test_a_folder_that_hangs_does_not_keep_the_process_at_its_end() -> None:
    program = """if True:
        import asyncio, threading
        from sandboxd.daemon.policies import FolderReader

        reader = FolderReader("/share", lambda path: threading.Event().wait())
        print(asyncio.run(reader.read(0.01)))
    """
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")

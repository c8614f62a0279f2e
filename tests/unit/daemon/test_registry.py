"""The remembered projects: a person can read and mend them, and no registration is lost."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from sandboxd.daemon import registry_file
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.registry import Registry
from sandboxd.daemon.registry_file import Entry, load, save
from tests.patience import PATIENCE

ENGINE = EngineKey("unix:///nowhere/docker.sock", None)


def test_the_file_is_text_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "state" / "projects.toml"
    entries = [
        Entry("/home/me/app", ENGINE, True, None),
        Entry(
            '/home/me/with "quotes"\n',
            EngineKey(None, "remote", certificates="/c"),
            False,
            1700000000.5,
        ),
    ]
    assert save(str(path), entries) == ""
    assert (
        path.read_text()
        == """\
# The projects that sandboxd's daemon knows. It writes this file anew whenever one comes or goes: end it
# (`sandboxd daemon stop`) before you change something here.
# `keeps = false`: only looked at, nothing is written there. `missing_since`: when its folder went away.

version = 1

[[projects]]
path = "/home/me/app"
docker_host = "unix:///nowhere/docker.sock"

[[projects]]
path = "/home/me/with \\"quotes\\"\\n"
docker_context = "remote"
docker_cert_path = "/c"
keeps = false
missing_since = 2023-11-14 22:13:20+00:00
"""
    )
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = load(str(path))
    assert loaded.problem == ""
    loaded_entries = [Entry(p.path, p.engine, p.keeps, p.missing_since) for p in loaded.projects]
    assert loaded_entries == [entries[0], entries[1]._replace(missing_since=1700000000.0)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("{", "Invalid statement"),
        ("projects = 3", "`projects` is not a list of tables"),
        ("projects = [3]", "project 1: it is not a table"),
        ('[[projects]]\npath = "relative"', "project 1: `path` is not an absolute path"),
        ('[[projects]]\npath = "/a"\ndocker_host = 1', "project 1: an engine is not a string"),
        ('[[projects]]\npath = "/a"\nmissing_since = "x"', "is not a date and time"),
        ("x = " + "[" * 9999, ""),
    ],
)
def test_a_damaged_file_is_reported_and_kept_aside(
    tmp_path: Path, damage: str, reason: str
) -> None:
    path, aside = tmp_path / "projects.toml", tmp_path / "projects.toml.bad"
    path.write_text(damage)
    loaded = load(str(path))
    assert loaded.projects == [] and loaded.may_write
    assert reason in loaded.problem and str(aside) in loaded.problem
    assert aside.read_text() == damage and not path.exists()
    # The one that was kept first is not lost to the second.
    path.write_text("other = [")
    load(str(path))
    assert aside.read_text() == damage
    assert (tmp_path / "projects.toml.bad1").read_text() == "other = ["


def test_the_good_part_of_a_damaged_file_is_used(tmp_path: Path) -> None:
    path = tmp_path / "projects.toml"
    path.write_text('[[projects]]\npath = "/a"\n[[projects]]\npath = "b"\n')
    loaded = load(str(path))
    assert [project.path for project in loaded.projects] == ["/a"]
    assert "project 2" in loaded.problem


def test_no_file_is_no_projects_and_an_old_one_is_mentioned_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(str(tmp_path / "projects.toml")) == registry_file.Loaded([])
    assert caplog.text == ""
    (tmp_path / "projects.json").write_text('{"version": 1, "projects": []}')
    assert load(str(tmp_path / "projects.toml")).projects == []
    assert "is of an older version and is not read" in caplog.text
    assert (tmp_path / "projects.json").exists()


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_moved_aside_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str) -> str:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "projects.toml"
    path.write_text("damaged = [")
    monkeypatch.setattr(registry_file, "_set_aside", refuse)
    registry = Registry(str(path))
    await registry.load()
    registry.add(Tracked("/a", ENGINE))
    await registry.close()
    assert path.read_text() == "damaged = ["
    assert "nor moved aside" in registry.problem


@pytest.mark.asyncio
async def test_of_registrations_that_overlap_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, loop_thread = save, threading.get_ident()
    is_writing, gate = threading.Event(), threading.Event()

    def slow(path: str, entries: list[Entry]) -> str:
        assert threading.get_ident() != loop_thread, "an fsync on the event loop"
        if len(entries) == 1:
            is_writing.set()
            gate.wait(PATIENCE)  # the first writer is the last to write
        return real(path, entries)

    monkeypatch.setattr(registry_file, "save", slow)
    path = tmp_path / "projects.toml"
    registry = Registry(str(path))
    writer = asyncio.create_task(registry.run())
    registry.add(Tracked("/a", ENGINE))
    first = asyncio.create_task(registry.saved())
    await asyncio.to_thread(is_writing.wait, PATIENCE)
    registry.add(Tracked("/b", ENGINE))
    second = asyncio.create_task(registry.saved())
    await asyncio.sleep(0)
    assert not first.done() and not second.done()
    gate.set()
    await asyncio.gather(first, second)
    writer.cancel()
    assert [project.path for project in load(str(path)).projects] == ["/a", "/b"]


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_written_is_said_until_it_can(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file, not a folder")
    registry = Registry(str(blocked / "projects.toml"))
    registry.add(Tracked("/a", ENGINE))
    await registry.close()
    assert registry.problem.startswith("projects are not remembered: cannot write")
    blocked.unlink()
    registry.note_change()
    await registry.close()
    assert registry.problem == ""

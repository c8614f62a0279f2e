"""Files of a workspace with names outside of it, by which a program inside would write into a cache of the user."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.plan import outside_names
from sandboxd.plan.outside_names import folders_with_outside_names, part_outside


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project whose packages are links to a cache beside it."""
    workspace = tmp_path / "project"
    for name in ("one", "two", "three"):
        link(workspace, f".venv/lib/site-packages/{name}.py")
    (workspace / "main.py").write_text("host")
    return workspace


def link(workspace: Path, path: str) -> Path:
    """Put a file into the workspace as package managers do, and return its name in the cache."""
    cached = workspace.parent / "cache" / path
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_text("host")
    (workspace / path).parent.mkdir(parents=True, exist_ok=True)
    (workspace / path).hardlink_to(cached)
    return cached


def test_what_is_written_inside_does_not_reach_the_cache(workspace: Path) -> None:
    cached = link(workspace, "packages/web/node_modules/.pnpm/six/index.js")
    cached.chmod(0o755)
    os.utime(cached, ns=(1, 2))
    parted = part_outside(str(workspace), ())
    assert parted == (4, 16, (".venv", "packages"), True)
    inside = workspace / "packages/web/node_modules/.pnpm/six/index.js"
    assert inside.stat().st_mode & 0o777 == 0o755 and inside.stat().st_mtime_ns == 2
    for file in (*workspace.rglob("*.py"), inside):
        file.write_text("evil")
    assert {file.read_text() for file in workspace.parent.joinpath("cache").rglob("*.*s")} == {
        "host"
    }
    assert part_outside(str(workspace), ()) == (0, 0, (), True)


def test_files_whose_names_are_all_in_the_workspace_stay_one(workspace: Path) -> None:
    (workspace / "target/deps").mkdir(parents=True)
    (workspace / "target/deps/app").write_text("built")
    (workspace / "target/app").hardlink_to(workspace / "target/deps/app")
    assert part_outside(str(workspace), ()).number == 3
    assert (workspace / "target/app").samefile(workspace / "target/deps/app")


def test_what_a_mount_hides_is_left_as_it_is(workspace: Path) -> None:
    assert part_outside(str(workspace), (".venv",)) == (0, 0, (), True)


def test_no_link_is_followed(workspace: Path) -> None:
    other = workspace.parent / "other"
    other.mkdir()
    (other / "file").write_text("")
    (other / "name").hardlink_to(other / "file")
    (workspace / "way").symlink_to(other)
    (workspace / "name").symlink_to(other / "file")
    assert part_outside(str(workspace), ()).folders == (".venv",)
    assert (other / "name").samefile(other / "file")


def test_folders_of_packages_come_first_and_what_is_not_looked_at_is_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        (workspace / f".a{number}").mkdir()
        (workspace / f".a{number}/file").touch()
    monkeypatch.setattr(outside_names, "_MOST_ENTRIES", 30)
    parted = part_outside(str(workspace), ())
    assert parted.number == 3 and not parted.is_whole


def test_a_copy_that_does_not_fit_is_said(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_names, "_MOST_BYTES", 8)
    assert part_outside(str(workspace), ())[::3] == (2, False)


def test_a_file_that_may_not_be_replaced_is_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(outside_names, "replace_by_copy", refuse)
    assert part_outside(str(workspace), ()) == (0, 0, (), False)


def test_another_failure_is_one(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outside_names, "replace_by_copy", fail)
    with pytest.raises(EnvironmentFailure, match="no space left"):
        part_outside(str(workspace), ())


def test_the_disk_of_the_copies_is_flushed_and_no_other(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def note(folder: int) -> None:
        flushed.append(os.fstat(folder).st_dev)

    monkeypatch.setattr(outside_names, "flush_file_system", note)
    part_outside(str(workspace), ())
    assert flushed == [workspace.stat().st_dev]
    part_outside(str(workspace), ())
    assert len(flushed) == 1


def test_copies_before_a_failure_are_flushed_too(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, flushed = outside_names.replace_by_copy, []

    def fail_at_the_second(*arguments: Any, **options: Any) -> None:
        if flushed:
            raise OSError(28, "No space left on device")
        flushed.append(0)
        replace(*arguments, **options)

    monkeypatch.setattr(outside_names, "replace_by_copy", fail_at_the_second)
    monkeypatch.setattr(outside_names, "flush_file_system", flushed.append)
    with pytest.raises(EnvironmentFailure):
        part_outside(str(workspace), ())
    assert len(flushed) == 2


def test_folders_that_a_look_finds(workspace: Path) -> None:
    assert folders_with_outside_names(str(workspace)) == (".venv",)
    assert folders_with_outside_names(str(workspace), most=2) == ()
    part_outside(str(workspace), ())
    assert folders_with_outside_names(str(workspace)) == ()
    (workspace / "node_modules/esbuild").mkdir(parents=True)
    (workspace / "node_modules/esbuild/one").touch()
    (workspace / "node_modules/other").hardlink_to(workspace / "node_modules/esbuild/one")
    assert folders_with_outside_names(str(workspace)) == ()


def test_files_on_a_disk_that_is_read_only_here_stay_and_are_no_danger(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(outside_names, "replace_by_copy", refuse)
    assert part_outside(str(workspace), ()) == (0, 0, (), True)

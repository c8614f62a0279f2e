"""A workspace that goes to another machine: what is in its archive, and that its list finds what a folder finds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.review import changes, original
from tests.unit.review.copies import Copy

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    (folder / "src").mkdir(parents=True)
    (folder / "src/main.py").write_text("print(1)\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "ü b").write_text("x")
    (folder / "link").symlink_to("src")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def nothing(_path: str, _is_folder: bool) -> bool:
    return False


def listed(host: Path) -> original.Listed:
    """As it goes to the other machine: as JSON."""
    result: original.Listed = json.loads(
        json.dumps(original.pack(str(host), nothing, io.BytesIO()).listed)
    )
    return result


def test_links_go_as_links_and_what_stays_is_not_read(host: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the user's own")
    (host / "out").symlink_to(tmp_path / "secret")
    (host / "left").mkdir()
    (host / "left/key").write_text("ignored secret")
    file = io.BytesIO()
    packed = original.pack(str(host), lambda path, is_folder: is_folder and path == "left", file)
    assert packed.size == len(file.getvalue()) and file.tell() == 0
    assert b"the user's own" not in file.getvalue() and b"ignored secret" not in file.getvalue()
    with tarfile.open(fileobj=file) as tar:
        names = set(tar.getnames())
    assert {"src/main.py", "link", "out", ".git/HEAD"} <= names and "left" not in names
    assert not any(path.startswith(".git/") for path in packed.listed)
    assert packed.listed["link"][3] == "src"


def edit(copy: Path) -> None:
    (copy / "src/main.py").write_text("print(2)\n")
    (copy / "run.sh").chmod(0o755)
    (copy / "new").mkdir()
    (copy / "new/file").write_text("n")
    (copy / "ü b").unlink()
    (copy / "link").unlink()
    (copy / "link").symlink_to("new")
    (copy / "debug.log").write_text("ignored")


def touch(copy: Path) -> None:
    os.utime(copy / "src/main.py", (1, 1))


def same_size(copy: Path) -> None:
    (copy / "src/main.py").write_text("print(3)\n")


def commit(copy: Path) -> None:
    (copy / "more").write_text("m")
    git(copy, "add", ".")
    git(copy, "commit", "-q", "-m", "second")
    git(copy, "tag", "v2")


def replace_by_folder(copy: Path) -> None:
    (copy / "run.sh").unlink()
    (copy / "run.sh").mkdir()
    (copy / "run.sh/inner").write_text("i")


@pytest.mark.parametrize("change", [edit, touch, same_size, commit, replace_by_folder])
def test_a_list_finds_what_a_folder_finds(
    host: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    entries = listed(host)
    copy = Copy(tmp_path, host)
    change(copy.inside)
    by_folder, by_list = copy.changes(), copy.changes(listed=entries, source="/nonexistent")
    assert [e[:3] for e in by_list.entries] == [e[:3] for e in by_folder.entries]
    assert by_list.skipped == by_folder.skipped
    assert (by_list.bundle is None) == (by_folder.bundle is None)
    assert bool(by_list.entries) is (change is not touch)


def test_a_list_that_lies_makes_nothing_come_that_is_not_shown(host: Path, tmp_path: Path) -> None:
    copy = Copy(tmp_path, host)
    found = copy.changes(listed={"never": [0o100644, 1, 1, "x"]}, source="/nonexistent")
    assert {e.path for e in found.entries if e.kind == "gone"} == {"never"}
    assert isinstance(found, changes.Changes)

"""A workspace that goes to another machine: what is in its archive, and that its list finds what a folder finds."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
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


def sent(
    host: Path, is_left: Callable[[str, bool], bool] = nothing, known: original.Listed | None = None
) -> tuple[list[original.Parcel], original.Manifest]:
    """All parcels of a workspace, and the list of what is in them."""
    entries = original.survey(str(host), is_left)
    parcels = list(original.parcels(str(host), entries, known))
    manifest = original.Manifest({}, {}, set())
    for each in parcels:
        if isinstance(each, original.Archive):
            manifest.add(each.noted)
        elif isinstance(each, original.Whole):
            manifest.add([each.noted])
    return parcels, manifest


def names_in(parcels: list[original.Parcel]) -> set[str]:
    names: set[str] = set()
    for each in parcels:
        if isinstance(each, original.Archive) and each.data:
            with tarfile.open(fileobj=io.BytesIO(each.data)) as tar:
                names |= set(tar.getnames())
    return names


def listed(host: Path) -> original.Listed:
    """As it goes to the other machine: as JSON."""
    result: original.Listed = json.loads(json.dumps(sent(host)[1].listed))
    return result


def test_links_go_as_links_and_what_stays_is_not_read(host: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the user's own")
    (host / "out").symlink_to(tmp_path / "secret")
    (host / "left").mkdir()
    (host / "left/key").write_text("ignored secret")
    parcels, manifest = sent(host, lambda path, is_folder: is_folder and path == "left")
    data = b"".join(each.data for each in parcels if isinstance(each, original.Archive))
    assert b"the user's own" not in data and b"ignored secret" not in data
    names = names_in(parcels)
    assert {"src/main.py", "link", "out", ".git/HEAD"} <= names and "left" not in names
    assert not any(path.startswith(".git/") for path in manifest.listed)
    assert manifest.listed["link"][3] == "src"


def test_a_workspace_goes_in_parcels_and_a_large_file_in_pieces(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original, "PARCEL", 20_000)
    content = os.urandom(50_000)
    (host / "large").write_bytes(content)
    for number in range(6):
        (host / f"small-{number}").write_bytes(os.urandom(6_000))
    parcels, manifest = sent(host)
    pieces = [each for each in parcels if isinstance(each, original.Piece)]
    assert [each.offset for each in pieces] == [0, 20_000, 40_000]
    assert b"".join(each.data for each in pieces) == content
    archives = [each for each in parcels if isinstance(each, original.Archive) and each.data]
    assert len(archives) >= 3
    assert all(len(each.data) < 60_000 for each in archives)
    assert {f"small-{n}" for n in range(6)} <= names_in(parcels)
    assert manifest.listed["large"][1] == 50_000
    assert any(isinstance(e, original.Whole) and e.noted.path == "large" for e in parcels)
    # What the other machine has already is noted, and not sent again.
    (host / "small-1").write_bytes(os.urandom(6_000))
    os.utime(host / "large", (1, 1))
    again, noted = sent(host, known=manifest.listed)
    assert not any(isinstance(each, original.Piece) for each in again)
    of_work = {name for name in names_in(again) if not name.startswith(".git")}
    assert of_work == {"small-1"}
    assert noted.listed["large"][2] == 10**9


def test_what_goes_away_while_it_is_read_is_passed_over(host: Path) -> None:
    entries = original.survey(str(host), nothing)
    (host / "run.sh").unlink()
    (host / "src/main.py").unlink()
    (host / "src/main.py").symlink_to("/etc/passwd")
    (host / ".gitignore").unlink()
    (host / ".gitignore").mkdir()
    parcels = list(original.parcels(str(host), entries))
    names = names_in(parcels)
    assert "run.sh" not in names and "ü b" in names
    data = b"".join(each.data for each in parcels if isinstance(each, original.Archive))
    assert b"root:" not in data


def test_a_file_that_cannot_be_read_is_named(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_folder: int, name: str, _flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", name)

    entries = original.survey(str(host), nothing)
    monkeypatch.setattr(original, "_open", refuse)
    with pytest.raises(UsageError, match="cannot be read: permission denied"):
        list(original.parcels(str(host), entries))


def test_a_read_only_folder_can_take_a_later_parcel(host: Path) -> None:
    (host / "src").chmod(0o555)
    try:
        parcels, _ = sent(host)
    finally:
        (host / "src").chmod(0o755)
    (archive,) = (each for each in parcels if isinstance(each, original.Archive))
    with tarfile.open(fileobj=io.BytesIO(archive.data)) as tar:
        assert tar.getmember("src").mode == 0o755


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

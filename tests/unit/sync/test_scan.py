"""What a look at a folder says, of a folder that is as odd as somebody hostile can make it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sandboxd.plan import beneath
from sandboxd.sync import scan as scanning
from sandboxd.sync.scan import Limits, scan
from sandboxd.sync.state import FOLDER, Content, Entry, Kind, Snapshot


def look(folder: Path, before: Snapshot | None = None, **options: object) -> Snapshot:
    root = os.open(folder, os.O_RDONLY)
    try:
        return scan(
            root,
            lambda path, is_folder: path == "no",
            before,
            Limits(**options),  # type: ignore[arg-type]
        )
    finally:
        os.close(root)


def test_files_folders_and_links(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/run").write_bytes(b"x")
    (tmp_path / "d/run").chmod(0o755)
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"")
    snapshot = look(tmp_path)
    assert {path: entry.content for path, entry in snapshot.entries.items()} == {
        "d": FOLDER,
        "d/run": Content(Kind.FILE, hashlib.sha256(b"x").hexdigest(), True),
        "link": Content(Kind.LINK, "/etc"),
        "\udcff": Content(Kind.FILE, hashlib.sha256(b"").hexdigest()),
    }
    assert snapshot.is_whole
    assert snapshot.root.inode == tmp_path.stat().st_ino


def test_what_is_neither_is_unknown_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    snapshot = look(tmp_path)
    assert snapshot.entries == {}
    assert snapshot.unknown == {"pipe": "it is neither a file, a folder nor a link"}


def test_what_is_excluded_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "no/a/b").mkdir(parents=True)
    snapshot = look(tmp_path)
    assert snapshot.entries == {}
    assert snapshot.excluded == {"no"}


def test_what_an_application_left_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/.sandboxd-sync-0123").write_text("")
    snapshot = look(tmp_path)
    assert snapshot.leftovers == ("d/.sandboxd-sync-0123",)
    assert list(snapshot.entries) == ["d"]


def test_what_cannot_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()

    def refuse(*_words: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(beneath, "parent_of", refuse)
    monkeypatch.setattr(scanning, "read_entry", refuse)
    assert look(tmp_path).unknown == {"d": "permission denied", "f": "permission denied"}


def test_its_bounds(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(6):
        deep = deep / "d"
        deep.mkdir()
    (tmp_path / "large").write_bytes(b"12345")
    snapshot = look(tmp_path, depth=3, size=4)
    assert snapshot.unknown == {"d/d/d/d": "it is nested too deep", "large": "it is too large"}
    assert snapshot.is_whole
    assert look(tmp_path, entries=7).is_whole
    assert not look(tmp_path, entries=6).is_whole


def test_a_path_that_is_longer_than_a_system_call_takes(tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY)
    current = os.dup(root)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=current)
        below = os.open("x" * 250, os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = below
    os.close(current)
    os.close(root)
    snapshot = look(tmp_path)
    assert list(snapshot.unknown.values()) == ["its path is too long"]


def test_a_file_that_changes_while_it_is_read_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_text("1")
    read = os.read

    def grow(descriptor: int, size: int) -> bytes:
        with path.open("a") as file:
            file.write("2")
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", grow)
    assert look(tmp_path).unknown == {"log": "it is being written"}


def test_what_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    fresh = look(tmp_path)
    old = fresh._replace(began=fresh.began + 10**9)
    reads: list[str] = []
    read = scanning.read_entry

    def note(folder: int, name: str, size: int) -> Entry | None:
        reads.append(name)
        return read(folder, name, size)

    monkeypatch.setattr(scanning, "read_entry", note)
    assert look(tmp_path, old).entries == fresh.entries
    assert reads == []
    # Written as it was looked at: its time says nothing.
    assert look(tmp_path, fresh._replace(began=fresh.entries["a"].ctime)).entries == fresh.entries
    assert reads == ["a"]
    path.chmod(0o755)
    assert look(tmp_path, old).entries["a"].content.executable

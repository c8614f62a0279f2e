"""A copy of a hostile workspace: nothing from outside of it, and never without end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandboxd.bench import copies
from sandboxd.errors import UsageError


def test_files_modes_and_folders_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "run.sh").write_text("echo")
    (source / "a" / "b" / "run.sh").chmod(0o755)
    assert copies.copy(str(source), str(tmp_path / "copy")) == (1, 4)
    copied = tmp_path / "copy" / "a" / "b" / "run.sh"
    assert copied.read_text() == "echo" and copied.stat().st_mode & 0o777 == 0o755


def test_links_stay_links_and_nothing_is_read_through_them(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("token")
    (source / "file").symlink_to(tmp_path / "secret" / "key")
    (source / "folder").symlink_to(tmp_path / "secret")
    copies.copy(str(source), str(tmp_path / "copy"))
    assert os.readlink(tmp_path / "copy" / "file") == str(tmp_path / "secret" / "key")
    assert (tmp_path / "copy" / "folder").is_symlink()


def test_a_folder_that_is_a_link_for_a_moment_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, outside, look = tmp_path / "source", tmp_path / "outside", os.stat
    (source / "d").mkdir(parents=True)
    (source / "d" / "planted").write_text("runs at the next login")
    outside.mkdir()
    (tmp_path / "link").symlink_to(outside)
    exchanged = iter((True,))

    def stat(name: str, **options: int) -> os.stat_result:
        if name == "d" and next(exchanged, False):
            return os.lstat(tmp_path / "link")
        return look(name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "readlink", lambda *_, **__: str(outside))
    copies.copy(str(source), str(tmp_path / "copy"))
    assert list(outside.iterdir()) == []
    assert (tmp_path / "copy" / "d" / "planted").exists()


def test_sockets_and_pipes_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "socket"))
        assert copies.copy(str(source), str(tmp_path / "copy")).files == 0
    assert list((tmp_path / "copy").iterdir()) == []


def test_setuid_bits_are_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "program").write_text("")
    (source / "program").chmod(0o4755)
    copies.copy(str(source), str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "program").stat().st_mode & 0o7777 == 0o755


def test_a_workspace_that_is_too_large_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "sparse").open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(UsageError, match="more than 1 MiB"):
        copies.copy(str(source), str(tmp_path / "copy"), 1 << 20)


def test_a_copy_is_removed_whole(tmp_path: Path) -> None:
    (tmp_path / "copy" / "a").mkdir(parents=True)
    (tmp_path / "copy" / "a" / "link").symlink_to("/")
    copies.remove(str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()

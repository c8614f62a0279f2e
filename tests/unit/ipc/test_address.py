"""Where the socket is, and what is refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandboxd.errors import DaemonError
from sandboxd.ipc import address

UID = os.getuid()


def private(path: Path) -> str:
    path.mkdir(mode=0o700)
    return str(path)


def test_the_runtime_dir_is_used_when_it_is_ours(tmp_path: Path) -> None:
    runtime = private(tmp_path / "run")
    folder = address.folder({"XDG_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}, UID)
    assert folder == f"{runtime}/sandboxd-{UID}-2"


@pytest.mark.parametrize("value", ["", "relative/path", "/does/not/exist"])
def test_an_unusable_runtime_dir_is_passed_over(tmp_path: Path, value: str) -> None:
    folder = address.folder({"XDG_RUNTIME_DIR": value, "HOME": str(tmp_path)}, 987654)
    assert folder == f"{tmp_path}/.cache/sandboxd-987654-2"


def test_a_runtime_dir_that_others_may_write_to_is_passed_over(tmp_path: Path) -> None:
    runtime = private(tmp_path / "run")
    os.chmod(runtime, 0o777)
    folder = address.folder({"XDG_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}, UID)
    assert not folder.startswith(runtime)


def test_tmpdir_never_matters(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": private(tmp_path / "run")}
    assert address.folder({**environ, "TMPDIR": "/elsewhere"}, UID) == address.folder(environ, UID)


def test_the_folder_is_made_private(tmp_path: Path) -> None:
    where = str(tmp_path / "cache" / "sandboxd")
    old = os.umask(0o000)
    try:
        address.ensure_folder(where, UID)
    finally:
        os.umask(old)
    assert os.stat(where).st_mode & 0o777 == 0o700
    assert address.check_folder(where, UID)


def test_a_missing_folder_or_socket_is_no_error(tmp_path: Path) -> None:
    assert not address.check_folder(str(tmp_path / "none"), UID)
    assert not address.check_socket(str(tmp_path / "none"), UID)


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    where = private(tmp_path / "s")
    os.chmod(where, 0o750)
    with pytest.raises(DaemonError, match=r"mode 0750"):
        address.check_folder(where, UID)


def test_a_symlink_to_a_private_folder_is_refused(tmp_path: Path) -> None:
    where = tmp_path / "link"
    where.symlink_to(private(tmp_path / "s"))
    with pytest.raises(DaemonError, match="symbolic link"):
        address.ensure_folder(str(where), UID)


def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    where = private(tmp_path / "s")
    with pytest.raises(DaemonError, match="belongs to user"):
        address.check_folder(where, UID + 1)


def test_only_a_private_socket_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "d.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.chmod(path, 0o600)
        assert address.check_socket(str(path), UID)
        os.chmod(path, 0o666)
        with pytest.raises(DaemonError, match="open to other users"):
            address.check_socket(str(path), UID)


def test_a_symlink_to_a_socket_and_a_plain_file_are_refused(tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to("/var/run/docker.sock")
    file.write_text("")
    with pytest.raises(DaemonError, match="symbolic link"):
        address.check_socket(str(link), UID)
    with pytest.raises(DaemonError, match="not a socket"):
        address.check_socket(str(file), UID)


def test_a_path_too_long_for_a_socket_says_what_to_do() -> None:
    with pytest.raises(DaemonError) as caught:
        address.socket_path("/" + "x" * 120)
    assert "XDG_RUNTIME_DIR" in caught.value.hint


def test_a_runtime_dir_of_another_user_is_passed_over(tmp_path: Path) -> None:
    """After `su` the variable still names the folder of who was logged in."""
    runtime = private(tmp_path / "run")
    environ = {"XDG_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}
    assert not address.folder(environ, UID + 987_654).startswith(runtime)


def test_a_socket_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        os.chmod(path, 0o600)
        with pytest.raises(DaemonError, match=f"belongs to user {UID}, not to you"):
            address.check_socket(str(path), UID + 1)

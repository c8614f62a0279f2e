"""The folder of the locks: nobody else can hold or replace one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import state_folder
from sandboxd.life import lock


def test_the_folder_is_made_private() -> None:
    folder = lock._folder()
    assert folder == f"{state_folder(os.environ)}/locks"
    assert os.stat(folder).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_can_write_is_refused(mode: int) -> None:
    os.chmod(lock._folder(), mode)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()


def test_a_symlink_to_a_private_folder_is_refused(own_home: Path) -> None:
    real = own_home / "elsewhere"
    real.mkdir(mode=0o700)
    os.makedirs(state_folder(os.environ))
    Path(state_folder(os.environ), "locks").symlink_to(real)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()


def test_a_folder_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lock._folder()
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(EnvironmentFailure, match="can be written by others"):
        lock._folder()


def test_two_logins_of_one_user_exclude_each_other(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login by `ssh`, one of `cron` and one of a desktop have each their own XDG_RUNTIME_DIR, or none."""

    class Held(Exception):
        pass

    def give_up() -> None:
        raise Held

    with lock.project_lock("/w", lambda _: None):
        for folder in (str(own_home / "another"), ""):
            monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
            with pytest.raises(Held), lock.project_lock("/w", lambda _: None, give_up):
                pass


def test_a_lock_that_cannot_be_opened_stops_the_command() -> None:
    folder = lock._folder()
    os.symlink("/dev/null", lock.workspace_file(folder, "/w", ".lock"))
    with (
        pytest.raises(EnvironmentFailure, match="cannot open the lock"),
        lock.project_lock("/w", print),
    ):
        pass


def test_a_lock_where_nothing_can_be_written_any_more_is_held_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is taken back has no use for a place to write to."""
    with lock.rights_lock({}, "/w"):
        pass
    really = os.open

    def open_read_only(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, "Read-only file system")
        return really(path, flags, *mode)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_read_only)
        with lock.rights_lock({}, "/w"):
            pass

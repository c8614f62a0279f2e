"""Who starts the daemon, while another one does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.daemon.claim import claim
from sandboxd.errors import DaemonError
from sandboxd.ipc import address, start
from sandboxd.ipc.start import _start_lock
from tests.patience import PATIENCE


def test_a_lock_that_is_not_given_up_is_not_waited_for_without_end(tmp_path: Path) -> None:
    folder, refusals = str(tmp_path), []

    def take() -> None:
        try:
            with _start_lock(folder, time.monotonic()):
                pass
        except DaemonError as error:
            refusals.append(error.message)

    with _start_lock(folder, time.monotonic()):
        # A thread that waits for ever fails its test, and does not hang with it.
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert refusals == ["another command has been starting the daemon for too long"]
    take()
    assert len(refusals) == 1, "it was free"


@pytest.fixture
def environ(own_home: Path) -> dict[str, str]:
    return {"HOME": str(own_home), "XDG_RUNTIME_DIR": str(own_home / "run")}


@pytest.fixture
def where(environ: dict[str, str]) -> str:
    """The folder of the socket."""
    folder = address.folder(environ, os.getuid())
    Path(folder).mkdir(mode=0o700)
    return folder


@contextlib.contextmanager
def listening(where: str) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address.socket_path(where))
        listener.listen()
        yield


def test_one_that_ends_is_waited_for_before_another_is_started(
    environ: dict[str, str], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens no more and has its lock still: another daemon would be refused."""
    listener = contextlib.ExitStack()
    started: list[bool] = []

    def spawn(_environ: object) -> subprocess.Popen[bytes]:
        started.append(held.is_in_place())
        address.ensure_folder(where, os.getuid())
        listener.enter_context(listening(where))
        return subprocess.Popen([sys.executable, "-c", "pass"])

    monkeypatch.setattr(start, "_spawn", spawn)
    with claim(where) as held, listener:
        monkeypatch.setattr(time, "sleep", lambda _seconds: held.release())
        start.start(environ, PATIENCE)
    assert started == [False]


def test_one_that_ends_leaves_what_its_successor_has(where: str) -> None:
    """Somebody cleaned up in the folder, so that another daemon could start."""
    with claim(where) as first:
        os.unlink(address.lock_path(where))
        with claim(where) as second, listening(where):
            first.release()
            assert second.is_in_place()
            assert os.path.exists(second.path)


def test_one_that_never_listens_is_said(
    environ: dict[str, str], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "_spawn", lambda _environ: pytest.fail("its place is taken"))
    with claim(where), pytest.raises(DaemonError, match="holds its place and did not listen"):
        start.start(environ, 0.05)


def test_who_asks_whether_a_daemon_runs_keeps_none_from_starting(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To ask it takes the lock, for a moment."""
    with open(address.lock_path(where), "w") as asking:
        fcntl.flock(asking, fcntl.LOCK_EX)
        monkeypatch.setattr(time, "sleep", lambda _seconds: asking.close())
        with claim(where) as held:
            assert held.is_in_place()


def test_a_daemon_that_ends_leaves_the_lock_of_a_command_that_starts_the_next_one(
    where: str,
) -> None:
    """Else a second command would start another daemon beside that one, and `daemon stop` might end only one."""
    with claim(where) as held, _start_lock(where, time.monotonic()):
        held.release()
        with pytest.raises(DaemonError, match="for too long"), _start_lock(where, time.monotonic()):
            pass
    with claim(where):
        pass
    assert not os.path.exists(where), "nobody holds it any more"


def test_a_lock_on_a_removed_file_excludes_nobody(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon that ends removes it between a command's open and its lock."""
    lock = fcntl.flock
    path = os.path.join(where, "start.lock")

    def remove_first(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        os.unlink(path)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with _start_lock(where, time.monotonic() + PATIENCE):
        assert os.path.exists(path)
        with pytest.raises(DaemonError, match="for too long"), _start_lock(where, time.monotonic()):
            pass

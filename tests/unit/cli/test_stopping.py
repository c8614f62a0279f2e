"""A command that runs until it is told to stop: by a signal, or by the end of its standard input."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.cli.stopping import at_end_of_input, stopped_by_signals
from tests.patience import PATIENCE

_SELECT = ("23", "270", "72")
"""The numbers of select and pselect6 on x86-64, and of the latter on 64-bit ARM."""


def _wake(waker: int) -> None:
    os.write(waker, b"x")


def _is_main_thread_in_select() -> bool:
    pid = os.getpid()
    return Path(f"/proc/{pid}/task/{pid}/syscall").read_text().split()[0] in _SELECT


@pytest.fixture
def writer() -> Iterator[int]:
    """The other end of this process's standard input."""
    before = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    try:
        yield writing
    finally:
        os.dup2(before, 0)
        os.close(before)


def test_the_end_of_input_stops_it_and_nothing_else_does(writer: int) -> None:
    stopped = threading.Event()
    at_end_of_input(stopped.set)
    os.write(writer, b"x\n")
    assert not stopped.wait(0.05)
    os.close(writer)
    assert stopped.wait(PATIENCE)


def test_a_command_that_has_ended_by_then_is_no_error(writer: int) -> None:
    called = threading.Event()

    def stop() -> None:
        called.set()
        raise OSError("its pipe is closed")

    at_end_of_input(stop)
    os.close(writer)
    assert called.wait(PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_does_not_end_what_is_waited_in_stops_it(number: signal.Signals) -> None:
    """As one does that arrives when the wait is about to begin: here another thread takes it."""
    woken, waker = os.pipe()
    before = signal.getsignal(number)

    def interrupt() -> None:
        while not _is_main_thread_in_select():
            time.sleep(0)  # the interpreter's lock is the main thread's, too
        signal.pthread_kill(threading.get_ident(), number)

    thread = threading.Thread(target=interrupt)
    with stopped_by_signals(lambda: _wake(waker)):
        thread.start()
        assert select.select([woken], [], [], PATIENCE)[0]
    thread.join()
    assert signal.getsignal(number) is before and signal.set_wakeup_fd(-1) == -1
    os.close(woken)
    os.close(waker)


def test_an_ignored_signal_stays_ignored() -> None:
    stopped = threading.Event()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals(stopped.set):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stopped.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)

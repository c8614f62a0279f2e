"""A command that ends with its standard input: the end counts, what comes before it does not."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from sandboxd.cli.stopping import at_end_of_input
from tests.patience import PATIENCE


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

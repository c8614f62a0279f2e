"""Tells the recorder which test runs: a plugin of pytest."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from tools.mutation import recorder

_numbers = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record one test, with the fixtures that it is the first to need."""
    assert recorder.recorder is not None, "the interpreter did not start it"
    recorder.recorder.begin(str(next(_numbers)))
    started = time.perf_counter()
    try:
        return (yield)
    finally:
        recorder.recorder.end(item.nodeid, time.perf_counter() - started)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """A fixture may have taken the tracing away."""
    assert recorder.recorder is not None
    recorder.recorder.resume()
    return (yield)

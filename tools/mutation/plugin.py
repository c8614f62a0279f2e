"""Tells the recorder which test runs: a plugin of pytest."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tools.mutation import recorder

_numbers = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record one test, with the fixtures that it is the first to need."""
    assert recorder.recorder is not None, "the interpreter did not start it"
    recorder.recorder.begin(str(next(_numbers)))
    started = _processor_seconds()
    try:
        return (yield)
    finally:
        recorder.recorder.end(item.nodeid, _processor_seconds() - started)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """A fixture may have taken the tracing away."""
    assert recorder.recorder is not None
    recorder.recorder.resume()
    return (yield)


def _processor_seconds() -> float:
    """Of this process and of those that it has waited for: what else the machine does is no matter."""
    return sum(os.times()[:4])

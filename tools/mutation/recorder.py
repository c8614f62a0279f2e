"""Writes down which functions of the package run in which test, in the tests' process and its children.

A line of the file is a test's number and a function, as `3 sandboxd/text.py:SourceText.position`; a line
`3 = 0.25 tests/…` gives the test its name and its seconds. What a function keeps by `functools.cache` is
forgotten before each test: it would run in the first one alone. The interpreter of the trial starts this
in each process (see `trial`). It needs nothing of ours.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from types import CodeType, FrameType
from typing import Any


class Recorder:
    def __init__(self, root: str, folder: str) -> None:
        self._prefix = f"{root}/sandboxd/"
        self._root = f"{root}/"
        self._folder = folder
        self._file = os.open(
            f"{folder}/reach", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._codes: set[CodeType] = set()
        self._kept: weakref.WeakSet[Any] = weakref.WeakSet()
        """Functions of the package that keep what they returned."""
        self._test = self._current()

    def begin(self, number: str) -> None:
        """What runs from now on, runs for this test, in children too."""
        with open(f"{self._folder}/current.new", "w") as file:
            file.write(number)
        os.rename(f"{self._folder}/current.new", f"{self._folder}/current")
        self._test = number
        self._codes.clear()
        for function in list(self._kept):
            function.cache_clear()
        self.resume()

    def end(self, name: str, seconds: float) -> None:
        self.write(f"{self._test} = {seconds:.3f} {name}\n")

    def resume(self) -> None:
        """Trace calls from now on; a test may have taken the tracing away."""
        sys.settrace(self.trace)
        threading.settrace(self.trace)

    def write(self, line: str) -> None:
        os.write(self._file, line.encode("utf-8", "surrogateescape"))

    def trace(self, frame: FrameType, _event: str, _argument: Any) -> None:
        """A function begins; its lines are not traced."""
        code = frame.f_code
        if code in self._codes:
            return
        self._codes.add(code)
        if code.co_filename.startswith(self._prefix):
            path = code.co_filename.removeprefix(self._root)
            self.write(f"{self._test} {path}:{_where(code)}\n")

    def know_what_is_kept(self) -> None:
        """Learn of each function of the package that keeps its answers, from now on."""
        original = functools.lru_cache

        def remembered(wrapper: Any) -> Any:
            if wrapper.__wrapped__.__code__.co_filename.startswith(self._prefix):
                self._kept.add(wrapper)
            return wrapper

        def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
            if callable(maxsize):
                return remembered(original(maxsize, typed))
            decorate = original(maxsize, typed)
            return lambda function: remembered(decorate(function))

        # `functools.cache` calls it by this name.
        functools.lru_cache = lru_cache

    def _current(self) -> str:
        try:
            with open(f"{self._folder}/current") as file:
                return file.read()
        except OSError:
            return "0"


def _where(code: CodeType) -> str:
    """As a point names it: `Class.method.inner`; a lambda or a comprehension is what holds it."""
    names = [name for name in code.co_qualname.split(".") if not name.startswith("<")]
    return ".".join(names) or "module"


recorder: Recorder | None = None


def start(root: str, folder: str) -> None:
    """Record this process, whose package is in `root`."""
    global recorder
    recorder = Recorder(root, folder)
    recorder.know_what_is_kept()
    recorder.resume()

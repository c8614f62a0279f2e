"""Which modules of sandboxd call which, in a run: `with Trace() as trace: ...; trace.calls`.

A module is on the way when one of its functions is called; what only runs since the module is imported (its
own lines, the body of a class) does not count. The caller is the nearest function of sandboxd above the called
one, so that a callback by the standard library has the caller that a reader would name. Threads that begin
within the block are followed, other processes are not.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

import sandboxd

_PACKAGE = os.path.dirname(os.path.abspath(sandboxd.__file__)) + os.sep


class Trace:
    """The calls within the block."""

    def __init__(self) -> None:
        self.calls: set[tuple[str, str]] = set()
        """(module that calls, module that is called), without the package's name; the first is '' where
        something else called. A module that calls itself is not named beside another."""
        self._modules: dict[CodeType, str] = {}

    def __enter__(self) -> Trace:
        threading.setprofile(self._event)
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    @property
    def modules(self) -> set[str]:
        """Those that were called."""
        return {called for _, called in self.calls}

    def _event(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        called = self._module(frame.f_code)
        if not called:
            return
        above = frame.f_back
        while above is not None:
            if above.f_code.co_filename.startswith(_PACKAGE):
                caller = self._module(above.f_code)
                if caller and (caller != called):
                    self.calls.add((caller, called))
                return
            above = above.f_back
        self.calls.add(("", called))

    def _module(self, code: CodeType) -> str:
        """The module of sandboxd that holds a function; '' for other code, also of a module or a class."""
        name = self._modules.get(code)
        if name is None:
            is_function = bool(code.co_flags & inspect.CO_OPTIMIZED)
            name = module_of(code.co_filename) if is_function else ""
            self._modules[code] = name
        return name


def module_of(path: str) -> str:
    """The name of the module in a file, without the package's; '' if it is none of sandboxd."""
    if not path.startswith(_PACKAGE):
        return ""
    name = path.removeprefix(_PACKAGE).removesuffix(".py").replace(os.sep, ".")
    return name.removesuffix(".__init__")

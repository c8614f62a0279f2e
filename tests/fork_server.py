"""Forks a process for each command that `tests/forked.py` asks for; run by it.

It has imported what commands import, called none of it, and has no threads: each child is as a fresh
process of `python -P -m sandboxd` at the point where all imports are done.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Any

SIZE = 8
"""Bytes of a number on the wire."""

_APART = (
    "sandboxd.__main__",
    "sandboxd.inside.escapes",
    "sandboxd.egress.gateway",
    "sandboxd.bench",
)
"""What runs as a program of its own, elsewhere."""


def main() -> None:
    """Serve on the listening socket whose descriptor is the first argument, until stdin ends."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _import_all()
    gc.freeze()
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    waiting.register(0, select.POLLHUP)
    children: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor == 0:
                return
            if descriptor in children:
                waiting.unregister(descriptor)
                _tell_end(descriptor, *children.pop(descriptor))
                continue
            connection, _ = listener.accept()
            pid = _fork(connection)
            process = os.pidfd_open(pid)
            children[process] = (pid, connection)
            waiting.register(process, select.POLLIN)


def _import_all() -> None:
    import sandboxd

    for module in pkgutil.walk_packages(sandboxd.__path__, "sandboxd."):
        if not module.name.startswith(_APART):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)


def _fork(connection: socket.socket) -> int:
    """Start the command that the connection asks for; its pid, which the client is told, too."""
    size, descriptors, _, _ = socket.recv_fds(connection, SIZE, 3)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(size, "big")))
    pid = os.fork()
    if pid == 0:
        _become(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    connection.sendall(pid.to_bytes(SIZE, "big"))
    return pid


def _tell_end(process: int, pid: int, connection: socket.socket) -> None:
    os.close(process)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with connection, contextlib.suppress(OSError):
        connection.sendall(code.to_bytes(SIZE, "big", signed=True))


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be the command; does not return."""
    code = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(3, 1024)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environ"])
        sys.argv[1:] = request["arguments"]
        code = _run()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _run() -> int:
    """The exit code, as the interpreter makes it of how the program ends."""
    try:
        runpy.run_module("sandboxd", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    main()

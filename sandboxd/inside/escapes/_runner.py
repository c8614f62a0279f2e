"""Makes the attempts inside, each in a process of its own, and reports them line by line.

It is not imported but sent as the beginning of a program to `python3 -` and needs nothing of ours.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import types
from typing import Any

_NAMESPACES = ("mnt", "pid", "net", "user", "uts", "ipc", "cgroup")


def main(parcel: dict[str, Any]) -> None:
    """Report who we are, then every attempt, then the end."""
    import ctypes

    if ctypes.sizeof(ctypes.c_void_p) != 8:
        sys.exit("a 32-bit Python has other system call numbers")
    write = _Reporter(parcel["nonce"]).write
    write({"kind": "identity", "python": sys.version.split()[0], **_identity()})
    _install(parcel["modules"])
    attempts, facts, seconds = parcel["attempts"], parcel["facts"], parcel["seconds"]
    # Attempts that only wait for answers from the network run beside the others.
    waiting = {name: _Child(name, facts) for name in attempts if name in parcel["waiting"]}
    at_once = [name for name in attempts if name not in waiting]
    for name in [*at_once, *waiting, *parcel.get("last", ())]:
        child = waiting.get(name) or _Child(name, facts)
        result = child.result(seconds)
        milliseconds = round((time.monotonic() - child.started) * 1000, 1)
        write({"kind": "attempt", "name": name, "milliseconds": milliseconds, **result})
    write({"kind": "end"})


class _Reporter:
    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def write(self, record: dict[str, Any]) -> None:
        sys.stdout.write(f"{self._nonce} {json.dumps(record)}\n")
        sys.stdout.flush()


def _identity() -> dict[str, Any]:
    status = dict(
        line.split(":", 1) for line in _read("/proc/self/status").splitlines() if ":" in line
    )
    return {
        "boot_id": _read("/proc/sys/kernel/random/boot_id").strip(),
        "version": _read("/proc/version").strip(),
        "uid": os.getuid(),
        "machine": os.uname().machine,
        "namespaces": {name: _link(f"/proc/self/ns/{name}") for name in _NAMESPACES},
        "status": {
            name: value.strip()
            for name, value in status.items()
            if name[:3] in ("Cap", "NoN", "Sec")
        },
    }


def _install(sources: dict[str, str]) -> None:
    """Make the sources importable under the names that they have outside."""
    for package in ("sandboxd", "sandboxd.inside", "sandboxd.inside.escapes"):
        module = types.ModuleType(package)
        module.__path__ = []
        sys.modules[package] = module
    for name, source in sources.items():
        if name.startswith("_"):
            _load(name, source)
        else:
            _SOURCES[name] = source


_SOURCES: dict[str, str] = {}


def _load(name: str, source: str) -> types.ModuleType:
    full = f"sandboxd.inside.escapes.{name}"
    module = types.ModuleType(full)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    sys.modules[full] = module
    setattr(sys.modules["sandboxd.inside.escapes"], name, module)
    return module


class _Child:
    """One attempt in a process of its own, which may lose its rights, its mounts or its life."""

    def __init__(self, name: str, facts: dict[str, Any]) -> None:
        self.started = time.monotonic()
        self._readable, writable = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._readable)
            os.setsid()
            data = json.dumps(_attempt(name, facts)).encode()
            while data:
                data = data[os.write(writable, data) :]
            os._exit(0)
        os.close(writable)

    def result(self, seconds: float) -> dict[str, Any]:
        """The report of the child, within `seconds` from its start; it is ended by then."""
        end = self.started + seconds
        data = self._read(end)
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except OSError:
            pass
        code = os.waitpid(self._pid, 0)[1]
        try:
            result: dict[str, Any] = json.loads(data)
            return result
        except ValueError:
            pass
        if time.monotonic() >= end:
            return {"state": "unclear", "detail": f"no end within {seconds:g} s"}
        if code & 127 == signal.SIGSYS:
            return {"state": "stopped", "detail": "a seccomp filter ended it"}
        return {
            "state": "unclear",
            "detail": f"its process ended by signal {code & 127}, code {code >> 8}",
        }

    def _read(self, end: float) -> bytes:
        data = b""
        while True:
            # Output that arrived before the deadline counts, even if it is read later.
            seconds = max(0.0, end - time.monotonic())
            if not select.select([self._readable], [], [], seconds)[0]:
                break
            part = os.read(self._readable, 65536)
            if not part:
                break
            data += part
        os.close(self._readable)
        return data


def _attempt(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    kernel = sys.modules["sandboxd.inside.escapes._kernel"]
    try:
        helper = sys.modules.get(f"sandboxd.inside.escapes.{name}")
        result = (helper or _load(name, _SOURCES[name])).attempt(facts)
    except OSError as error:
        # The system's words begin with a capital; our own hold units and names.
        return {"state": "stopped", "detail": (error.strerror or "").lower() or str(error)}
    except kernel.NotApplicable as error:
        return {"state": "not applicable", "detail": str(error)}
    except BaseException as error:
        return {"state": "unclear", "detail": f"{type(error).__name__}: {error}"}
    return {"state": "done", **result}


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""

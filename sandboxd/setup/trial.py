"""Finds out which arguments runsc needs on this machine, by running a container without an engine.

It answers three questions by observed effects: whether a container starts, on which kernel it runs, and whether files
in a read-only folder survive attacks from inside with `directfs` on. If they do, that is confirmed by trials through
the engine before it is relied on (`setup.register`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
from typing import NamedTuple

from sandboxd.host.facts.engine import names_gvisor
from sandboxd.host.trial_image import show_program, static_program
from sandboxd.host.trials import host_boot_id
from sandboxd.setup import programs

DIRECTFS_OFF = "--directfs=false"

_CANDIDATES: tuple[tuple[str, ...], ...] = (
    (),
    ("--network=host",),
    ("--platform=systrap", "--network=host"),
    ("--platform=ptrace", "--network=host"),
)
_SECONDS = 15
_MODE = 0o644


class Need(NamedTuple):
    """An argument, and what a trial without it showed."""

    argument: str
    reason: str


class Needs(NamedTuple):
    """Arguments that runsc needs to start here (`starts`), and those that it needs for read-only folders to be safe
    (`holds`).
    """

    starts: tuple[Need, ...]
    holds: tuple[Need, ...]
    error: str = ""
    """The reason why no combination of arguments started; '' if one did."""

    @property
    def start_arguments(self) -> list[str]:
        return [need.argument for need in self.starts]


def find(runsc: str) -> Needs:
    """Try `runsc`. Needs root; it changes nothing and leaves no process behind."""
    if os.uname().machine != "x86_64":
        # No program of ours for it: the engine's own trial decides.
        return Needs((), (Need(DIRECTFS_OFF, "kept: not tried on this processor"),))
    first = ""
    for arguments in _CANDIDATES:
        error = _starts(runsc, arguments)
        if not error:
            reason = f"without it: {first}" if first else ""
            why = _why_directfs_off(runsc, arguments)
            return Needs(
                tuple(Need(argument, reason) for argument in arguments),
                (Need(DIRECTFS_OFF, why),) if why else (),
            )
        first = first or error
    return Needs((), (), first)


def _starts(runsc: str, arguments: tuple[str, ...]) -> str:
    """'' when a container ran on gVisor's kernel, else why it did not."""
    with _Bundle(show_program()) as bundle:
        code, output = bundle.run(runsc, arguments)
    if code:
        return _last_line(output)
    boot_id, _, kernel = output.strip().partition("\n")
    if not names_gvisor(kernel) or boot_id.strip() == host_boot_id():
        return f"it ran on another kernel than gVisor's: {_last_line(output)}"
    return ""


def _why_directfs_off(runsc: str, arguments: tuple[str, ...]) -> str:
    """The effect of attacks on a read-only folder while directfs was on; '' where they failed."""
    with _Bundle(_attack_program(), read_only_folder=True) as bundle:
        code, output = bundle.run(runsc, arguments)
        if code or "attacked" not in output:
            return f"the attack could not be made: {_last_line(output)}"
        if bundle.folder_is_intact():
            return ""
    return "with directfs on, an attack from inside changed a file of a read-only folder"


class _Bundle:
    """A container's folder with one program; every process it started is ended with it."""

    def __init__(self, program: bytes, read_only_folder: bool = False) -> None:
        self.folder = tempfile.mkdtemp(prefix="sandboxd-trial-")
        self._outside = os.path.join(self.folder, "outside")
        os.makedirs(os.path.join(self.folder, "rootfs", "ro"))
        os.mkdir(self._outside)
        with open(os.path.join(self._outside, "file"), "w", encoding="ascii") as file:
            file.write("content of the host")
        os.chmod(os.path.join(self._outside, "file"), _MODE)
        path = os.path.join(self.folder, "rootfs", "program")
        with open(path, "wb") as file:
            file.write(program)
        os.chmod(path, 0o755)  # noqa: S103 - gVisor starts it as nobody
        mounts: list[dict[str, object]] = [
            {"destination": "/proc", "type": "proc", "source": "proc"}
        ]
        if read_only_folder:
            mounts.append(
                {
                    "destination": "/ro",
                    "type": "bind",
                    "source": self._outside,
                    "options": ["rbind", "ro"],
                }
            )
        spec = {
            "ociVersion": "1.0.0",
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": ["/program"],
                "env": ["PATH=/"],
                "cwd": "/",
            },
            "root": {"path": "rootfs", "readonly": False},
            "mounts": mounts,
            "linux": {
                "namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount")]
            },
        }
        with open(os.path.join(self.folder, "config.json"), "w", encoding="ascii") as file:
            json.dump(spec, file)

    def __enter__(self) -> _Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_leftovers()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, runsc: str, arguments: tuple[str, ...]) -> tuple[int, str]:
        state = os.path.join(self.folder, "state")
        name = os.path.basename(self.folder)
        command = [runsc, f"--root={state}", *arguments, "run", f"--bundle={self.folder}", name]
        try:
            return programs.run(command, _SECONDS)
        except subprocess.TimeoutExpired:
            return 1, f"no end after {_SECONDS} s"
        except OSError as error:
            return 1, f"`{runsc}` cannot be started: {(error.strerror or str(error)).lower()}"

    def folder_is_intact(self) -> bool:
        path = os.path.join(self._outside, "file")
        with open(path, encoding="ascii") as file:
            is_same = file.read() == "content of the host"
        return is_same and os.stat(path).st_mode & 0o7777 == _MODE

    def _end_leftovers(self) -> None:
        """End the helper processes that a failed start of runsc leaves, found by the bundle's folder."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read(65536).split(b"\0")
                if words[0].rsplit(b"/", 1)[-1].startswith(b"runsc") and any(
                    self.folder.encode() in word for word in words
                ):
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                continue


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1].rsplit(": ", 1)[-1][-200:] if lines else "it said nothing"


def _attack_program() -> bytes:
    """A program that empties `/ro/file` and sets its mode, then again after remounting it writable in a namespace."""
    empty = [("open", "/ro/file", 0x201), ("open", "/ro/file", 0x200), ("chmod", "/ro/file", 0o600)]
    remount = [("unshare", 0x10020000), ("mount", 0, "/ro", 0, 0x1020, 0)]
    end = [("write", 1, "attacked\n", 9), ("exit_group", 0)]
    return static_program(assemble([*empty, *remount, *empty, *end]))


_NUMBERS = {"write": 1, "open": 2, "chmod": 90, "mount": 165, "exit_group": 231, "unshare": 272}
# mov r32, imm32 and lea r64, [rip + disp32] for the registers of a system call's arguments.
_MOVE = (b"\xbf", b"\xbe", b"\xba", b"\x41\xba", b"\x41\xb8")
_LOAD = (
    b"\x48\x8d\x3d",
    b"\x48\x8d\x35",
    b"\x48\x8d\x15",
    b"\x4c\x8d\x15",
    b"\x4c\x8d\x05",
)


def assemble(calls: list[tuple[str | int, ...]]) -> bytes:
    """x86-64 machine code that makes the system calls one after the other, followed by their strings.

    :param calls: each with its number and arguments; a text argument stands for a pointer to it
    """
    size = 0
    for call in calls:
        for place, value in enumerate(call[1:]):
            size += len((_LOAD if isinstance(value, str) else _MOVE)[place]) + 4
        size += 7
    code, texts = b"", b""
    for call in calls:
        for place, value in enumerate(call[1:]):
            if isinstance(value, str):
                target = size + len(texts)
                texts += value.encode() + b"\0"
                code += _LOAD[place] + struct.pack("<i", target - len(code) - len(_LOAD[place]) - 4)
            else:
                code += _MOVE[place] + struct.pack("<I", value)
        code += b"\xb8" + struct.pack("<I", _NUMBERS[str(call[0])]) + b"\x0f\x05"
    return code + texts

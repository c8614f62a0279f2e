"""Which arguments let runsc start a container on this kernel: found out by trying, not assumed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile

from tools.engine import processes
from tools.engine.packages import find_program

# Stock first. runsc's own network stack refuses to start on kernels since about 6.9 (it mistakes
# every network namespace for the host's); `--network=host` then means the namespace that the
# engine made for the container, not the machine's.
CANDIDATES: tuple[tuple[str, ...], ...] = (
    (),
    ("--network=host",),
    ("--platform=systrap", "--network=host"),
    ("--platform=ptrace", "--network=host"),
)
_TRY_SECONDS = 10


def configured() -> tuple[dict[str, object], str]:
    """The `runtimes` table for daemon.json, and why gVisor is not in it ('' when it is).

    `SANDBOXD_TEST_RUNSC` names another build than the installed one.
    """
    runsc = os.environ.get("SANDBOXD_TEST_RUNSC") or find_program("runsc")
    if runsc is None:
        return {}, "runsc is not installed"
    if not os.access(runsc, os.X_OK):
        return {}, f"`{runsc}` is no program that can be started"
    arguments, reason = working_arguments(runsc)
    if arguments is None:
        return {}, reason
    return {
        "runsc": {"path": runsc, "runtimeArgs": list(arguments)},
        "runsc-sandboxd": {"path": runsc, "runtimeArgs": ["--directfs=false", *arguments]},
    }, ""


def working_arguments(runsc: str) -> tuple[tuple[str, ...] | None, str]:
    """The first candidate under which a tiny container runs, else None and the last error."""
    busybox = static_busybox()
    if busybox is None:
        return None, "runsc cannot be tried: install busybox-static"
    folder = tempfile.mkdtemp(prefix="sandboxd-trial-")
    try:
        _write_bundle(folder, busybox)
        error = ""
        for number, arguments in enumerate(CANDIDATES):
            error = _try(runsc, arguments, folder, f"trial-{number}")
            if not error:
                return arguments, ""
        return None, f"runsc starts no container here: {error}"
    finally:
        # A start that fails leaks its gofer and sandbox processes.
        processes.end(processes.of_folder(folder))
        shutil.rmtree(folder, ignore_errors=True)


def static_busybox() -> str | None:
    """Path of a busybox that needs no library, so that it runs in an empty image."""
    path = find_program("busybox")
    if path is None:
        return None
    with open(path, "rb") as file:
        head = file.read(4096)
    return None if b"/ld-" in head else os.path.realpath(path)


def _write_bundle(folder: str, busybox: str) -> None:
    os.makedirs(f"{folder}/rootfs/bin")
    shutil.copy(busybox, f"{folder}/rootfs/bin/busybox")
    spaces = ("pid", "network", "ipc", "uts", "mount")
    spec = {
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/busybox", "true"],
            "env": ["PATH=/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs", "readonly": True},
        "linux": {"namespaces": [{"type": name} for name in spaces]},
    }
    with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
        json.dump(spec, file)


def _try(runsc: str, arguments: tuple[str, ...], folder: str, name: str) -> str:
    command = [runsc, f"--root={folder}/state", *arguments, "run", f"--bundle={folder}", name]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TRY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {_TRY_SECONDS} s"
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"

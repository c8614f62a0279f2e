"""Software beside the engine: its packages, dev container clients, CUSE in the kernel."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.host.memory import Memory

_PACKAGES = ("runc", "containerd", "docker.io", "podman", "runsc")
_DPKG = "/var/lib/dpkg/status"
# https://code.visualstudio.com/docs/setup/linux and /mac; the last is Arch's.
_VSCODE = (
    "/usr/share/code/resources/app",
    "/snap/code/current/usr/share/code/resources/app",
    "/Applications/Visual Studio Code.app/Contents/Resources/app",
    "/opt/visual-studio-code/resources/app",
)
_MOST = 1 << 20


def packages(memory: Memory) -> dict[str, str]:
    """The versions of Debian packages of engines and runtimes, by package name; {} on other distributions.

    :param memory: stores the answer until dpkg's list of packages changes
    """
    try:
        status = os.stat(_DPKG)
    except OSError:
        return {}
    key = f"packages:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
    remembered = memory.get(key)
    if isinstance(remembered, dict):
        return remembered
    answer = _ask_dpkg()
    if answer is None:
        return {}
    memory.put(key, answer)
    return answer


def _ask_dpkg() -> dict[str, str] | None:
    import subprocess

    form = "${db:Status-Abbrev} ${Package} ${Version}\n"
    try:
        result = subprocess.run(
            ["dpkg-query", "--show", f"--showformat={form}", *_PACKAGES],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    rows = [line.split() for line in result.stdout.splitlines()]
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "ii"}


def programs(environ: Mapping[str, str]) -> dict[str, str]:
    """The versions of dev container clients on this machine, by client, read from their folders: no program is
    started.
    """
    cli = shutil.which("devcontainer", path=environ.get("PATH", os.defpath))
    folders = {
        "vscode": _VSCODE,
        "devcontainer-cli": (os.path.dirname(os.path.realpath(cli)),) if cli else (),
    }
    read = {name: _first_version(places) for name, places in folders.items()}
    return {name: version for name, version in read.items() if version}


def _first_version(folders: tuple[str, ...]) -> str:
    return next((v for folder in folders if (v := _version(f"{folder}/package.json"))), "")


def _version(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = json.loads(file.read(_MOST))
    except (OSError, ValueError, RecursionError):
        return ""
    version = data.get("version") if isinstance(data, dict) else None
    return version if isinstance(version, str) else ""


def cuse(release: str) -> bool | None:
    """Whether this kernel has CUSE (character devices in user space), or a module for it that can be loaded.

    :param release: the kernel's release as of `uname -r`, to find the modules
    :returns: None where neither can be read
    """
    loaded = _text("/proc/misc")
    if loaded is not None and any(line.split()[1:] == ["cuse"] for line in loaded.splitlines()):
        return True
    devices = _text(f"/lib/modules/{release}/modules.devname")
    if devices is None or loaded is None:
        return None
    return any(line.split()[:1] == ["cuse"] for line in devices.splitlines())


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except OSError:
        return None

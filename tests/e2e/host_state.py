"""The host as attempts to escape could have changed it, without what changes by itself or by tests beside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

# They count, and change by themselves.
_LIVE_SETTINGS = (
    *("random/", "-nr", "-state", "ns_last_pid", "pty/nr", "quota/"),
    # Counted, and lowered by the kernel itself, on a machine that is busy.
    *("hung_task_", "perf_event_max_sample_rate"),
)

_BRIDGES = ("br-", "cni-", "docker", "podman")


def settings() -> dict[str, str]:
    """All settings of the kernel that no namespace has for itself."""
    values = {}
    for top in ("kernel", "vm", "fs", "dev"):
        for path in sorted(Path("/proc/sys", top).rglob("*")):
            if path.is_file() and not any(word in str(path) for word in _LIVE_SETTINGS):
                with contextlib.suppress(OSError):
                    values[str(path)] = path.read_text(errors="replace")
    return values


def is_of_another_test(mounted: str, own: Path) -> bool:
    """Whether a test beside this one mounts there: a disk in its own folder or home, or the name of a network."""
    homes = ("/sbx-", "/pytest-of-", "/tests-")
    return mounted.startswith("/run/netns") or (
        any(name in mounted for name in homes) and not mounted.startswith(str(own))
    )


def _routes() -> list[str]:
    """The machine's routes, but for those of an engine's bridge: one beside this test may be made just now."""
    lines = Path("/proc/net/route").read_text().splitlines()
    return [line for line in lines if not line.startswith(_BRIDGES)]


def host_state(own: Path) -> dict[str, Any]:
    """What an attempt could have changed on the host.

    :param own: the folder of the test
    """
    return {
        "settings": settings(),
        "mounts": sorted(
            target
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if not is_of_another_test(target := line.split()[4], own)
        ),
        "routes": _routes(),
        "swap": Path("/proc/swaps").read_text(),
        "release agents": {
            str(path): path.read_text() for path in Path("/sys/fs/cgroup").glob("*/release_agent")
        },
        "modules": Path("/proc/modules").read_text() if Path("/proc/modules").exists() else "",
        "children": subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "sh"], capture_output=True, text=True, check=False
        ).stdout,
    }


def clock() -> float:
    """Seconds of the host's clock at its start."""
    # Between the two readings this process may stand still.
    return max(time.time() - time.monotonic() for _ in range(5))

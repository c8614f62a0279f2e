"""A look from inside: what a process that `exec` starts is shown of itself, by the image's own `sh` and `cat`.

Both are the image's, and may say what its maker likes. So what is seen here can take a claim back; it
never makes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.observe.process import Process, of_files

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine

LOOK_SECONDS = 5.0
"""A look takes 0.1 s; only a sandbox that hangs needs longer."""

_SEPARATOR = "-- sandboxd --"
_LOOKS = {
    "boot_id": "cat /proc/sys/kernel/random/boot_id",
    "status": "cat /proc/self/status",
    "mounts": "cat /proc/self/mountinfo",
    "label": "cat /proc/self/attr/current 2>/dev/null",
    "routes": "cat /proc/net/route 2>/dev/null",
    "user_map": "cat /proc/self/uid_map 2>/dev/null",
    "processes": "ulimit -u 2>/dev/null",
    "": "true",
}
_SCRIPT = f"; echo '{_SEPARATOR}'; ".join(_LOOKS.values())


def look(engine: Engine, container: str) -> Process | None:
    """Look from inside; None when the image has nothing to look with.

    :raises EnvironmentFailure: the sandbox does not answer
    """
    request = Exec(["sh", "-c", _SCRIPT])
    code, output = run_quietly(engine, container, request, LOOK_SECONDS)
    return parse(output.decode("utf-8", "replace")) if code == 0 else None


def parse(text: str) -> Process | None:
    """The output of the script that looks, None when it is not whole."""
    parts = text.split(_SEPARATOR)
    if len(parts) != len(_LOOKS):
        return None
    files = dict(zip(_LOOKS, parts, strict=True))
    process = of_files(files)
    return process._replace(processes=files["processes"].strip()) if process else None

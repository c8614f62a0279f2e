"""Observes from inside: what a process started by `exec` sees of itself, read with the image's own `sh` and `head`.

Both programs may lie. So their output can only turn a control to "not in force", never to "in force".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.observe.process import Process, of_files

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine

LOOK_SECONDS = 5.0
"""The time limit; it usually takes 0.1 s, longer only in a sandbox that hangs."""

_FILES = {
    "boot_id": "/proc/sys/kernel/random/boot_id",
    "status": "/proc/self/status",
    "mounts": "/proc/self/mountinfo",
    "label": "/proc/self/attr/current",
    "routes": "/proc/net/route",
    "user_map": "/proc/self/uid_map",
}
_NAMES = {path: name for name, path in _FILES.items()}
_HEADER = re.compile(r"^==> (/proc/[a-z_/]+) <==\n", re.MULTILINE)
"""The line that `head` writes above each of several files. The files read here cannot contain such a line, as the
kernel escapes names in them.
"""
_END = "-- processes --"
_PATHS = " ".join(_FILES.values())
# Each program that starts costs gVisor 10 ms and more, so one reads all. Where the image has no `head`, `cat` does.
_SCRIPT = f"""\
if command -v head >/dev/null; then head -n 100000 {_PATHS} 2>/dev/null
else for f in {_PATHS}; do echo "==> $f <=="; cat $f 2>/dev/null; echo; done; fi
echo; echo '{_END}'; ulimit -u 2>/dev/null; true"""


def look(engine: Engine, container: str) -> Process | None:
    """The process as it sees itself; None if the image lacks the programs.

    :raises EnvironmentFailure: the sandbox does not answer
    """
    request = Exec(["sh", "-c", _SCRIPT])
    code, output = run_quietly(engine, container, request, LOOK_SECONDS)
    return parse(output.decode("utf-8", "replace")) if code == 0 else None


def parse(text: str) -> Process | None:
    """Parse the output of the script; None if it is not complete."""
    shown, end, processes = text.rpartition(f"\n{_END}\n")
    if not end:
        return None
    _, *parts = _HEADER.split(shown)
    sections = zip(parts[::2], parts[1::2], strict=True)
    files = {_NAMES[path]: content for path, content in sections if path in _NAMES}
    process = of_files(files)
    return process._replace(processes=processes.strip()) if process else None

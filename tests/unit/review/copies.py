"""A workspace and a private copy of it, as a sandbox has them, and what our program says of the two."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sandboxd.engine.payload import programs
from sandboxd.plan.tool_folders import KNOWN
from sandboxd.review import changes, collect, refs
from sandboxd.review.changes import Changes


def _wait_for_files(probe: Path, moment: int) -> None:
    """Until a file that is written would be younger than `moment` (ns)."""
    probe.touch()
    while probe.stat().st_mtime_ns <= moment:
        probe.touch()


class Copy:
    """`host` is the workspace, `inside` its copy, made when this object was."""

    def __init__(self, folder: Path, host: Path) -> None:
        self.host, self.inside = host, folder / "inside"
        # `started` is told by the engine's clock, and files by a coarser one.
        probe = folder / "clock"
        _wait_for_files(probe, time.time_ns())
        self.started = time.time_ns()
        _wait_for_files(probe, self.started)
        shutil.copytree(host, self.inside, symlinks=True)
        self.mark = folder / "whole"
        self.mark.touch()
        self._stream = folder / "stream.changes"

    def changes(self, **more: object) -> Changes:
        """What the program writes, read as the host reads it."""
        task = {
            "nonce": "n",
            "source": str(self.host),
            "repository": "",
            "copy": str(self.inside),
            "made_by_tools": KNOWN,
            "largest": changes.LARGEST,
            "largest_bundle": changes.LARGEST_BUNDLE,
            "mark": str(self.mark),
            "stop_others": False,
            "have": refs.known_commits(str(self.host)),
            **more,
        }
        program = programs.with_task(collect.program(), task)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-"],
            input=program,
            capture_output=True,
            check=True,
        )
        first, _, rest = done.stdout.partition(b"\n")
        assert first == b"n"
        return self.read(rest)

    def read(self, stream: bytes) -> Changes:
        """A stream as if the sandbox had written it."""
        head = changes.header(str(self.host), "sandboxd-x", self.started)
        self._stream.write_bytes(head + stream)
        return changes.read(str(self._stream))


def record(kind: str, path: str = "", data: bytes = b"", **more: object) -> bytes:
    """One thing of a stream, as an inside may make it up."""
    head = {"kind": kind, "path": path, "mode": 0o644, "mtime": 1, "size": len(data), **more}
    return json.dumps(head).encode() + b"\n" + data


END = record("end", skipped=[], count=0, more=0, problem="")

"""A process of its own that logs what is written below a folder: for each phase that the test names, the events of the
kernel (inotify), and which files differ from before by their digest. It knows nothing of the product."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Log:
    """The log of what is written below a folder, as the process hears it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.phases: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [sys.executable, __file__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        self._tell("begin")

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What is written in the block was written by `name`."""
        self._tell("between")
        yield
        self.phases.append(self._tell(name))

    def of(self, name: str) -> list[dict[str, Any]]:
        """The phases of `name`."""
        return [phase for phase in self.phases if phase["name"] == name]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _tell(self, name: str) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Silent(Log):
    """Logs nothing any more."""

    def __init__(self) -> None:
        self.phases = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        yield


def _listen(top: str) -> None:
    from inotify_simple import INotify, flags

    wanted = (
        flags.MODIFY | flags.ATTRIB | flags.CLOSE_WRITE | flags.CREATE | flags.DELETE
        | flags.MOVED_FROM | flags.MOVED_TO | flags.DELETE_SELF | flags.MOVE_SELF
    )  # fmt: skip
    inotify = INotify()
    folders: dict[int, str] = {}

    def watch() -> None:
        for folder, _, _ in os.walk(top):
            folders[inotify.add_watch(folder, wanted)] = os.path.relpath(folder, top)

    watch()
    before = _digests(top)
    for line in sys.stdin:
        events = []
        while heard := inotify.read(timeout=0):
            for event in heard:
                name = os.path.normpath(os.path.join(folders.get(event.wd, "?"), event.name))
                kinds = [flag.name for flag in flags.from_mask(event.mask)]
                if kinds != ["IGNORED"]:
                    events.append([name, *kinds])
        watch()
        now = _digests(top)
        names = {*before, *now}
        other = sorted(name for name in names if before.get(name) != now.get(name))
        before = now
        print(json.dumps({"name": line.strip(), "events": events, "other": other}), flush=True)


def _digests(top: str) -> dict[str, str]:
    digests: dict[str, str] = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, top)
            status = os.lstat(path)
            if key.startswith("objects/"):
                # Its name is the digest of its content.
                digests[key] = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
            else:
                digests[key] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return digests


if __name__ == "__main__":
    _listen(sys.argv[1])

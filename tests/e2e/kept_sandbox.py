"""One sandbox for several tests, which runs on between them, and whose state is set back before each."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sandboxd.engine.client import connect_from
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes

Tree = Mapping[str, tuple[int, bytes]]


class KeptSandbox:
    """The sandbox of a project, by a user of its own: `environ` has to be in `os.environ` whenever it is used.

    A test may change the project's files, and end the sandbox or its container. What it changes inside, outside of
    the project, is not set back.
    """

    def __init__(self, engine: str, project: Path, environ: Mapping[str, str]) -> None:
        self.project, self.environ = project, environ
        self._engine = engine
        self._at_first = self._at_start = sandboxes.tree(project)
        self._id = ""

    def set_back(self) -> None:
        """Have it run, on the files that the project had at first."""
        if self._id and self._running() == [self._id]:
            _set_back(self.project, self._at_start)
            return
        self.end()
        _set_back(self.project, self._at_first)
        sandboxes.grant(self.project)
        done = sandboxes.run(self._engine, self.project, "up")
        assert done.returncode == 0, done.stderr
        (self._id,) = self._running()
        # A start puts empty files in place of control files that are not there.
        self._at_start = sandboxes.tree(self.project)

    def end(self) -> None:
        done = sandboxes.run(self._engine, self.project, "down", "--discard")
        assert done.returncode == 0, done.stderr

    def _running(self) -> list[str]:
        api = connect_from({**os.environ, "DOCKER_HOST": self._engine})
        listed = api.containers(f"{PROJECT}={self.project}")
        return [each.id for each in listed if each.state == "running"]


def _set_back(folder: Path, files: Tree) -> None:
    """Remove what was added; write what was changed into the same file, which the sandbox may have by a mount."""
    now = sandboxes.tree(folder)
    for name in sorted(now.keys() - files.keys(), reverse=True):
        path = folder / name
        (path.rmdir if stat.S_ISDIR(now[name][0]) else path.unlink)()
    for name, (mode, content) in files.items():
        if now.get(name) == (mode, content):
            continue
        path = folder / name
        if stat.S_ISDIR(mode):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
        path.chmod(stat.S_IMODE(mode))
        os.chown(path, 1000, 1000)

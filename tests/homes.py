"""A home for each test: new, or one that the test before did not touch.

To make and remove three folders takes longer than most tests of functions, and those touch no home.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

_MODES = {".": 0o711, "run": 0o700, "tmp": 0o755}
"""Folders of a home. As a real home's: what lies below has a mode of its own."""


class Homes:
    """Homes below `folder`, one in use at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clean: Path | None = None

    def take(self) -> Path:
        """An empty home, but for `run` and `tmp`."""
        home, self._clean = self._clean, None
        return home or self._new()

    def put_back(self, home: Path) -> None:
        """Keep it for the next test if it is as `take` gave it, else remove it."""
        if self._clean is None and is_clean(home):
            self._clean = home
        else:
            shutil.rmtree(home, ignore_errors=True)

    def _new(self) -> Path:
        # Not below `tmp_path`: a Unix socket's path may have 107 bytes only.
        home = Path(tempfile.mkdtemp(dir=self.folder))
        for name, mode in _MODES.items():
            folder = home / name
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        return home


def environ(home: Path) -> dict[str, str]:
    """The variables of a user who lives there; a daemon would outlive a test, so none is started."""
    # TMPDIR: the report that a crash leaves, and whatever else has no better place.
    folders = {"HOME": home, "XDG_RUNTIME_DIR": home / "run", "TMPDIR": home / "tmp"}
    for name in ("CONFIG", "CACHE", "STATE", "DATA"):
        folders[f"XDG_{name}_HOME"] = home / name.lower()
    return {"SANDBOXD_NO_DAEMON": "1", **{name: str(path) for name, path in folders.items()}}


def is_clean(home: Path) -> bool:
    """Whether nothing is in it but its own folders, which have the modes and owner that they had."""
    try:
        if sorted(os.listdir(home)) != ["run", "tmp"]:
            return False
        return all(_is_as_made(home / name, mode) for name, mode in _MODES.items())
    except OSError:
        return False


def _is_as_made(folder: Path, mode: int) -> bool:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) != mode:
        return False
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        return False
    return folder.name not in ("run", "tmp") or os.listdir(folder) == []

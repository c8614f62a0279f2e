"""An environment of its own for one tool, installed by the hashes of a lock, below .dev/."""

from __future__ import annotations

import sys
from pathlib import Path

from tools import programs
from tools.programs import ROOT


def home(name: str) -> Path:
    """Where the tool of `requirements/NAME.txt` is."""
    return ROOT / ".dev" / name


def is_current(name: str) -> bool:
    """Whether `requirements/NAME.txt` is installed as it is now."""
    stamp = home(name) / "installed"
    return stamp.exists() and stamp.read_text() == _lock(name).read_text()


def install(name: str) -> None:
    """Install `requirements/NAME.txt` unless it is there already.

    :raises InstallError: an environment cannot be made, or something cannot be downloaded
    """
    if is_current(name):
        return
    folder, uv = home(name), programs.uv()
    python = str(folder / "bin" / "python")
    hashed = ("--require-hashes", "-r", str(_lock(name)))
    if uv:
        programs.run(
            uv, "venv", "-q", "--clear", "--no-project", "--python", sys.executable, str(folder)
        )
        programs.run(uv, "pip", "install", "-q", "--python", python, *hashed)
    else:
        programs.run(sys.executable, "-m", "venv", "--clear", str(folder))
        programs.run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *hashed)
    (folder / "installed").write_text(_lock(name).read_text())


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"

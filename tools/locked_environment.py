"""An environment of its own for one tool, installed by the hashes of a lock, below .dev/."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def home(name: str) -> Path:
    """Where the tool of `requirements/NAME.txt` is."""
    return ROOT / ".dev" / name


def install(name: str) -> int:
    """Install `requirements/NAME.txt` unless it is there already; pip's exit code."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    folder = home(name)
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == lock:
        return 0
    venv.create(folder, clear=True, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    words = [*map(str, pip), "--require-hashes", "-r", f"requirements/{name}.txt"]
    done = subprocess.run(words, cwd=ROOT, check=False)
    if done.returncode == 0:
        stamp.write_text(lock)
    return done.returncode

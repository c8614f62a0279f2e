"""Install the other escape checker that tests ask, by hashes, into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".dev" / "second-opinion"
PROGRAM = HOME / "bin" / "cepheus"
_LOCK = ROOT / "requirements" / "second-opinion.txt"
_STAMP = HOME / "installed"


def missing() -> str:
    """Why it cannot be asked, '' when it can."""
    return "" if PROGRAM.exists() else "no cepheus; run `python3 -m tools.second_opinion`"


def main() -> int:
    """Install it unless the same lock was installed before."""
    lock = _LOCK.read_text()
    if PROGRAM.exists() and _STAMP.exists() and _STAMP.read_text() == lock:
        return 0
    venv.create(HOME, clear=True, with_pip=True)
    pip = [HOME / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*map(str, pip), "--require-hashes", "-r", str(_LOCK)], check=False)
    if done.returncode == 0:
        _STAMP.write_text(lock)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

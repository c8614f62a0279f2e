"""Programs that install something: where uv is, and running one to its end."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.engine.packages import InstallError

ROOT = Path(__file__).resolve().parent.parent


def uv() -> str:
    """The path of uv: the one of the PATH, or that of `./dev`; '' where there is none."""
    own = ROOT / ".dev" / "uv" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else "")


def run(*words: str) -> None:
    """Run an installer quietly.

    :raises InstallError: it fails; the text holds the last lines of its output
    """
    done = subprocess.run(
        words,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise InstallError(f"`{' '.join(words[:3])}` failed:\n{tail}")

"""Builds what users install, from a copy of the checkout, and installs it away from it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PARTS = (
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "devcontainer-templates",
    "profiles",
    "pyproject.toml",
    "sandboxd",
    "tools",
)


def copy_sources(folder: Path) -> Path:
    """What a build reads, without the rest of the checkout."""
    folder.mkdir(parents=True)
    for name in _PARTS:
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def build(sources: Path, folder: Path, *targets: str, umask: int = 0o022, **environ: str) -> Path:
    """Build `targets` (`wheel`, `sdist`) into `folder`, without a network where root can say so."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    command += [word for target in targets for word in ("-t", target)]
    subprocess.run(
        [*_without_network(), *command],
        cwd=sources,
        check=True,
        capture_output=True,
        umask=umask,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
    )
    return folder


@functools.cache
def _without_network() -> tuple[str, ...]:
    words = ("unshare", "--net")
    works = sys.platform == "linux" and shutil.which("unshare")
    if works and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        return words
    return ()


def uv() -> str | None:
    """The path of uv: the one of the PATH, or that of `./dev`."""
    own = ROOT / ".dev" / "uv" / "bin" / "uv"
    program = shutil.which("uv") or (str(own) if own.exists() else None)
    works = program and subprocess.run([program, "--version"], capture_output=True, check=False)
    return program if works and works.returncode == 0 else None


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment that holds the wheel and what it needs, and nothing else."""
    program = uv()
    if program is None:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", wheel]
        subprocess.run(list(map(str, pip)), check=True, capture_output=True)
        return folder
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    run([program, "venv", "-q", "--no-project", "--python", sys.executable, str(folder)])
    words = [
        program,
        "pip",
        "install",
        "-q",
        # As pip does unasked: what is compiled lies beside the data, too.
        "--compile-bytecode",
        "--python",
        str(folder / "bin" / "python"),
        str(wheel),
    ]
    environ = {**os.environ, **caches()}
    if run([*words, "--offline"], check=False, env=environ).returncode != 0:
        run(words, env=environ)
    return folder


def caches() -> dict[str, str]:
    """The user's own home, for a package manager: its cache saves downloading all again."""
    import pwd

    home = pwd.getpwuid(os.getuid()).pw_dir
    return {"HOME": home, "XDG_CACHE_HOME": os.path.join(home, ".cache")}

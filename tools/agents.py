"""The agents' packages that tests serve from a registry of their own: of npm, by the digests that ship."""

from __future__ import annotations

import base64
import hashlib
import platform
import shutil
import tempfile
from pathlib import Path

from sandboxd.agents import catalog
from sandboxd.agents.agent import Package
from tools import programs
from tools.engine.packages import InstallError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".dev" / "agents"
TESTED = ("claude", "codex", "gemini", "opencode")
"""Those whose whole turns are tested."""


def package(agent: str) -> Package:
    """The package of an agent for this machine.

    :raises LookupError: there is none for it
    """
    listed = catalog.load(agent, {"HOME": "/nonexistent"}).of_machine(platform.machine())
    if not listed:
        raise LookupError(agent)
    return listed[0]


def archive(wanted: Package) -> Path:
    """Where the archive of a package is, under the last part of its address."""
    return CACHE / wanted.url.rpartition("/")[2]


def lacks() -> str:
    """Why tests of agents cannot run, or ''."""
    absent = [name for name in TESTED if not archive(package(name)).exists()]
    return f"missing {', '.join(absent)}; run `CI=true ./dev setup --tests`" if absent else ""


def install() -> None:
    """Fetch what is missing.

    :raises InstallError: it cannot be fetched, or has another digest
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in TESTED:
        wanted = package(name)
        if archive(wanted).exists():
            continue
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            words = ["npm", "pack", "--silent", "--pack-destination", folder]
            programs.run(*words, f"{wanted.name}@{wanted.version}")
            (fetched,) = Path(folder).iterdir()
            with open(fetched, "rb") as file:
                digest = hashlib.file_digest(file, "sha512").digest()
            if f"sha512-{base64.b64encode(digest).decode()}" != wanted.integrity:
                raise InstallError(
                    f"`{wanted.name}` {wanted.version} is not what the agent's file names"
                )
            shutil.move(fetched, archive(wanted))

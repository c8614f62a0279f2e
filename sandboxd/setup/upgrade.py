"""Upgrades an installed runsc, and can go back to the earlier build.

gVisor's repository has only the newest build, so apt cannot go back: the programs of the earlier build are copied
first.
"""

from __future__ import annotations

import os
import shutil
import stat

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import packages, programs
from sandboxd.setup.step import Say, State


class UpgradeStep(packages.AptStep):
    """The step that installs the newest runsc of apt's repositories, after copying the present programs."""

    id = "upgrade"
    title = "install the newest runsc, and keep the programs of the build before"

    def __init__(self, folder: str, repository: str = "", apt_get: str = "apt-get") -> None:
        super().__init__(apt_get, repository)
        self._folder = os.path.join(folder, "programs")

    def shows(self) -> tuple[str, ...]:
        return (f"copy the programs of runsc to {self._folder}", *super().shows())

    def is_done(self) -> bool:
        # Only apt knows whether there is a newer one.
        return False

    def before(self) -> State:
        return {**super().before(), "programs": _installed_programs()}

    def do(self, say: Say) -> State:
        if not os.path.isdir(self._folder):
            # Whole or not there: a run that is killed here begins anew.
            temporary = f"{self._folder}.new"
            shutil.rmtree(temporary, ignore_errors=True)
            os.makedirs(temporary, mode=0o700)
            for number, path in enumerate(_installed_programs()):
                shutil.copy2(path, os.path.join(temporary, str(number)))
            os.rename(temporary, self._folder)
        return super().do(say)

    def undo(self, state: State, say: Say) -> None:
        try:
            super().undo(state, say)
        except EnvironmentFailure:
            if not os.path.isdir(self._folder):
                # An undo that was killed behind its last step: they are back.
                return
            say(f"  apt no longer has runsc {state['version']}: its programs are put back")
            self._put_back(state["programs"])
        shutil.rmtree(self._folder, ignore_errors=True)

    def _put_back(self, paths: list[str]) -> None:
        for number, path in enumerate(paths):
            # A program that runs cannot be written to; its name can be given to another file.
            temporary = f"{path}.sandboxd"
            shutil.copy2(os.path.join(self._folder, str(number)), temporary)
            os.replace(temporary, path)


def _installed_programs() -> list[str]:
    """The programs of the package runsc, as dpkg lists them; [] where it is not installed."""
    root = os.environ.get("DPKG_ROOT", "")
    try:
        code, output = programs.run(["dpkg-query", "-L", "runsc"])
    except OSError:
        return []
    paths = (
        [root + line for line in output.splitlines() if line.startswith("/")] if not code else []
    )
    return [path for path in paths if _is_program(path)]


def _is_program(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o111)

"""The steps of `setup apparmor`: our profiles are parsed, loaded, and kept for the next boot."""

from __future__ import annotations

import os
import shutil

from sandboxd.data import data_path
from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import files, programs
from sandboxd.setup.step import Say, State, Step

FOLDER = "/etc/apparmor.d"
_ENABLED = "/sys/module/apparmor/parameters/enabled"
_LOADED = "/sys/kernel/security/apparmor/profiles"


def why_not() -> str:
    """The reason why profiles cannot be loaded here; '' if they can."""
    if (files.read(_ENABLED) or b"").strip() != b"Y":
        return (
            "this kernel has no AppArmor: nothing is loaded, and it is never counted as a control"
        )
    if _parser() is None:
        return "`apparmor_parser` is missing: `sudo apt-get install apparmor`"
    return ""


def profile_files() -> list[str]:
    """The paths of the shipped profiles for containers."""
    folder = data_path("profiles", "apparmor")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.startswith("sandboxd-")]


def steps(folder: str = FOLDER) -> list[Step]:
    return [ProfileStep(path, folder) for path in profile_files()]


def parse(path: str) -> str:
    """Parse a profile without loading it; return '' or the parser's message. Needs no support by the kernel."""
    parser = _parser()
    if parser is None:
        return "`apparmor_parser` is missing"
    return _run([parser, "-Q", "-K", "--skip-kernel-load", path])


class ProfileStep:
    """The step that installs one profile in /etc/apparmor.d and in the kernel."""

    def __init__(self, source: str, folder: str) -> None:
        name = os.path.basename(source)
        self.id = f"profile-{name}"
        self.title = f"load the AppArmor profile {name}"
        self._name = name
        self._source = source
        self._target = os.path.join(folder, name)

    def shows(self) -> tuple[str, ...]:
        return (
            f"apparmor_parser -Q -K --skip-kernel-load {self._source}",
            f"write {self._target}",
            f"apparmor_parser --replace {self._target}",
        )

    def is_done(self) -> bool:
        loaded = (files.read(_LOADED) or b"").decode("utf-8", "replace").splitlines()
        there = any(line.split(" ", 1)[0] == self._name for line in loaded)
        return there and files.read(self._target) == files.read(self._source)

    def before(self) -> State:
        return files.snapshot(self._target)

    def do(self, _say: Say) -> State:
        message = parse(self._source)
        if message:
            raise EnvironmentFailure(f"the profile `{self._name}` does not parse: {message}")
        files.write(self._target, files.read(self._source) or b"", 0o644)
        self._load(self._target)
        return {}

    def undo(self, state: State, _say: Say) -> None:
        parser = _parser()
        if not state["existed"] and parser is not None and os.path.exists(self._target):
            _run([parser, "--remove", self._target])
        files.restore(state)
        if state["existed"]:
            self._load(self._target)

    def _load(self, path: str) -> None:
        parser = _parser()
        message = _run([parser, "--replace", path]) if parser else "`apparmor_parser` is missing"
        if message:
            raise EnvironmentFailure(
                f"the kernel does not take the profile `{self._name}`: {message}"
            )


def _parser() -> str | None:
    return shutil.which("apparmor_parser", path=os.defpath + ":/usr/sbin:/sbin")


def _run(command: list[str]) -> str:
    code, output = programs.run(command)
    return programs.last_words(code, output) if code else ""

"""Install what the tests use: `./dev setup --tests`, and the first thing that `./dev test` does.

System packages are asked about where a person sits there, and installed without a question with
CI=true. What stays below this checkout is installed as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tools import programs, pythons
from tools.engine import packages
from tools.engine.packages import InstallError
from tools.suite import needs
from tools.suite.needs import Lack, Package, Tool

IN_CI = os.environ.get("CI") == "true"


def say(text: str) -> None:
    """One line for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def prepare(confirmed: Callable[[str], bool]) -> list[Lack]:
    """Install what is missing and can be had; returns what stays missing, with the reason.

    :raises InstallError: in CI, when an installation fails: a failed download is no reason to pass
    """
    lacks = [*_system_packages(confirmed), *_tools()]
    return [*needs.out_of_reach(), *lacks, *_pythons()]


def asked(question: str) -> bool:
    """The answer of the person at the terminal; True in CI, False where nobody can be asked."""
    if IN_CI:
        return True
    if not sys.stdin.isatty():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _system_packages(confirmed: Callable[[str], bool]) -> list[Lack]:
    wanted = needs.missing_packages()
    if not wanted:
        return []
    names = " ".join(package.name for package in wanted)
    by_hand = f"`apt-get install --no-install-recommends {names}` as root"
    reason = packages.can_install()
    if reason:
        say(f"the tests use these packages, which this machine lacks: {names}")
        return _lacks(wanted, f"{reason}; {by_hand}")
    say(f"the tests use these Debian packages, which are missing: {names}")
    if not confirmed("install them with apt (no service is started)?"):
        return _lacks(wanted, f"not installed; {by_hand}, or `CI=true ./dev test`")
    say("installing them")
    try:
        absent = packages.install([package.name for package in wanted])
    except InstallError as error:
        return _failed(wanted, error)
    return _lacks([each for each in wanted if each.name in absent], "apt has no such package")


def _tools() -> list[Lack]:
    wanted, lacks = [], []
    for tool in needs.missing_tools():
        if tool.impossible:
            lacks.append(Lack(tool.name, tool.impossible, (tool.marker,)))
        elif tool.needs and packages.find_program(tool.needs) is None:
            lacks.append(Lack(tool.name, f"`{tool.needs}` is not installed", (tool.marker,)))
        else:
            wanted.append(tool)
    if wanted:
        say(f"installing below {os.getcwd()}: {', '.join(tool.name for tool in wanted)}")
        with ThreadPoolExecutor() as pool:
            for answer in pool.map(_install, wanted):
                lacks += answer
    return lacks


def _pythons() -> list[Lack]:
    uv = programs.uv()
    missing = [version for version, path in pythons.others(uv).items() if not path] if uv else []
    return [Lack(f"Python {version}", "neither the PATH nor uv has it") for version in missing]


def _install(tool: Tool) -> list[Lack]:
    try:
        tool.install()
    except InstallError as error:
        return _failed([tool], error)
    return []


def _failed(wanted: list[Package] | list[Tool], error: InstallError) -> list[Lack]:
    if IN_CI:
        raise error
    say(f"cannot install {', '.join(each.name for each in wanted)}: {error}")
    return _lacks(wanted, f"installing failed: {str(error).splitlines()[0]}")


def _lacks(wanted: list[Package] | list[Tool], why: str) -> list[Lack]:
    """One lack for all: the reason is said once."""
    markers = tuple(sorted({each.marker for each in wanted if each.marker}))
    return [Lack(", ".join(each.name for each in wanted), why, markers)] if wanted else []


def main() -> int:
    """Prepare; 0 also when something cannot be had, which is said, 4 when CI lacks something."""
    try:
        lacks = prepare(asked)
    except InstallError as error:
        say(f"error: {error}")
        return 4
    for lack in lacks:
        say(f"cannot be had here: {lack}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

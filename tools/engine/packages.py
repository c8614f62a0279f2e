"""What a bare Debian or Ubuntu lacks for a private engine, and how to install it quietly."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator

# package -> a file or program that shows that it is there. `docker-cli` is a package of its own
# only on newer Debians, `runsc` is missing from older ones: see `available`.
REQUIRED = {
    "docker.io": "dockerd",
    "runc": "runc",
    "iptables": "iptables",
    "iproute2": "ip",
    "busybox-static": "busybox",
}
OPTIONAL = {"docker-cli": "docker", "docker-compose": "docker-compose", "runsc": "runsc"}

_POLICY = "/usr/sbin/policy-rc.d"
_SAVED = _POLICY + ".before-sandboxd"
_REFUSE_SERVICES = (
    "#!/bin/sh\n# Written by sandboxd while it installs packages: no service starts.\nexit 101\n"
)
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class InstallError(Exception):
    """The packages cannot be installed; the text says why and what to do."""


def find_program(name: str) -> str | None:
    """Full path of a program, also where a user's PATH has no sbin folders."""
    return shutil.which(name) or shutil.which(name, path=_SYSTEM_PATH)


def shown_by(sign: str) -> bool:
    """Whether a program is there, or, where `sign` has a slash, a path (a pattern may stand in it)."""
    return bool(glob.glob(sign)) if "/" in sign else find_program(sign) is not None


def missing() -> list[str]:
    """Packages for an engine whose programs are not there."""
    wanted = {**REQUIRED, **OPTIONAL}
    return [package for package, program in wanted.items() if not shown_by(program)]


def can_install() -> str:
    """Why packages cannot be installed here, or ''."""
    if os.geteuid() != 0:
        return "installing packages and starting an engine need root"
    if find_program("apt-get") is None:
        return "there is no apt-get: packages are installed only on Debian and Ubuntu"
    return ""


def install(packages: list[str]) -> list[str]:
    """Install `packages`, starting no service; returns the optional ones that apt does not have.

    :raises InstallError: no root, no apt, or apt fails
    """
    reason = can_install()
    if reason:
        raise InstallError(reason)
    # A third party's list that cannot be had is no reason to give up.
    with contextlib.suppress(InstallError):
        _apt("update", "-qq")
    absent = [name for name in packages if not _has_candidate(name)]
    refused = [name for name in absent if name in REQUIRED]
    if refused:
        raise InstallError(f"apt has no package `{'`, `'.join(refused)}` on this machine")
    wanted = [name for name in packages if name not in absent]
    if wanted:
        with services_stay_down():
            _apt("install", "-y", "-qq", "--no-install-recommends", *wanted)
    return absent


@contextlib.contextmanager
def services_stay_down() -> Iterator[None]:
    """While inside, a package's maintainer script starts no service (Debian policy-rc.d).

    A script that was there is put back, also one that an earlier, killed run set aside.
    """
    if os.path.lexists(_POLICY) and not os.path.lexists(_SAVED):
        os.rename(_POLICY, _SAVED)
    with open(_POLICY, "w", encoding="utf-8") as file:
        file.write(_REFUSE_SERVICES)
    os.chmod(_POLICY, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    try:
        yield
    finally:
        if os.path.lexists(_SAVED):
            os.rename(_SAVED, _POLICY)
        else:
            os.unlink(_POLICY)


def _has_candidate(package: str) -> bool:
    answer = subprocess.run(
        ["apt-cache", "policy", package], capture_output=True, text=True, check=False
    ).stdout
    return "Candidate:" in answer and "Candidate: (none)" not in answer


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
    done = subprocess.run(
        ["apt-get", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise InstallError(f"`apt-get {' '.join(arguments)}` failed:\n{tail}")

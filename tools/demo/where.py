"""Which engine the demo uses: the one that is there, else a private one, else none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sandboxd.engine.contexts import resolve
from sandboxd.errors import SandboxdError
from tools.demo.screen import Screen, confirmed
from tools.engine import packages, private
from tools.private_engine import plan
from tools.signals import uninterrupted

RETRY = "sudo ./dev demo --yes"


class Where(NamedTuple):
    """The engine to use; `host` is '' when there is none, and `reason` says why."""

    host: str
    reason: str = ""
    ours: bool = False


@contextmanager
def engine(screen: Screen, yes: bool) -> Iterator[Where]:
    """Find an engine or, with the person's consent, install and start a private one."""
    host = existing()
    if host:
        screen.say(f"Docker is there and answers: {host}")
        yield Where(host)
        return
    reason = _cannot()
    if reason:
        yield Where("", reason)
        return
    screen.say("There is no Docker here that answers. The plan:")
    for line in plan():
        screen.say(f"  - {line}")
    if not confirmed("Go on?", yes):
        yield Where("", "the plan was not confirmed")
        return
    private.sweep()
    missing = packages.missing()
    if missing:
        screen.command(["python", "tools/private_engine.py", "install"])
        for name in packages.install(missing):
            screen.say(f"  apt does not have `{name}`: going on without it")
    name = f"demo-{os.getpid()}"
    screen.command(["python", "tools/private_engine.py", "start", "--name", name])
    try:
        started = private.start(name, owner=os.getpid())
        screen.say(f"  DOCKER_HOST={started.docker_host}")
        if started.gvisor:
            screen.say(f"  gVisor is not registered: {started.gvisor}")
        yield Where(started.docker_host, ours=True)
    finally:
        screen.command(["python", "tools/private_engine.py", "stop", "--name", name])
        with uninterrupted():
            private.stop(f"{private.BASE}/{name}")


def existing() -> str:
    """DOCKER_HOST value of a local engine that the docker command reaches, or ''."""
    docker = packages.find_program("docker")
    try:
        host = resolve(os.environ).host
    except SandboxdError:
        return ""
    if docker is None or not host.startswith("unix://"):
        return ""
    try:
        answer = subprocess.run(
            [docker, "-H", host, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return host if answer.returncode == 0 else ""


def _cannot() -> str:
    if packages.missing():
        return packages.can_install()
    return "" if os.geteuid() == 0 else "starting a private engine needs root"

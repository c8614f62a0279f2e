"""Installs the program of an agent into its volume, in a sandbox that reaches only the registry.

Nothing of a package runs, here or on the host: our Python fetches it, compares its digest and unpacks it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.agents import volume
from sandboxd.credentials import roots
from sandboxd.egress import words as egress_words
from sandboxd.engine.client import Exec
from sandboxd.engine.payload import container, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder, state_folder
from sandboxd.life import egress, installed
from sandboxd.life.lock import project_lock
from sandboxd.model.labels import MADE_BY, PROJECT, START

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.agents.agent import Agent
    from sandboxd.engine.client import Engine
    from sandboxd.engine.payload.container import Started
    from sandboxd.model.engine_answers import CreateRequest
    from sandboxd.policy.gateway_rights import GatewayRights

NAME = "sandboxd-install"
"""The prefix of the name of the container in which a program is installed."""

LIFE_SECONDS = 3600
_MEMORY = 512 << 20
_PROCESSES = 64
_HINT = "mend that, then run `sandboxd agent` again: what was fetched in part is not used"


class Place(NamedTuple):
    """The settings of the sandbox for an installation that depend on the machine and the user.

    `folder` takes the place of a project's folder and lies in the user's state folder; `runtime` is the name of the
    runtime in the engine.
    """

    folder: str
    runtime: str
    rights: GatewayRights
    gateway_image: str


def folder(agent: Agent, environ: Mapping[str, str]) -> str:
    """The folder that takes the place of a project's while `agent` is installed; it is created if it is missing."""
    path = os.path.join(state_folder(environ), "programs", agent.name)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def ensure(
    engine: Engine,
    agent: Agent,
    place: Place,
    environ: Mapping[str, str],
    tell: Callable[[str, bool], None],
    check: Callable[[], None],
) -> None:
    """Install the program of `agent` into its volume, unless a complete installation is there.

    :param tell: called with each step (text, whether the next step may overwrite it on a terminal)
    :param check: called while waiting; ends the installation by raising
    :raises EnvironmentFailure: the program cannot be fetched, or has another digest; then no part of it is left
    """
    name = volume.name(agent)
    with project_lock(place.folder, lambda text: tell(text, False), check):
        if installed.is_whole(engine, name, environ):
            return
        if engine.volume(name) is not None and not engine.remove_volume(name):
            raise EnvironmentFailure(
                f"the volume `{name}` is in use and not known to be whole",
                "end the sandboxes that use it: `sandboxd list` names them",
            )
        tell(f"fetching `{agent.title}`: {_listed(agent)}", False)
        report = Report(agent, tell, place.rights.policy.upstream is not None)
        try:
            _fill(engine, agent, place, environ, report, lambda text: tell(text, True))
            size = report.result()
            installed.note(engine, name, environ)
        except BaseException:
            engine.remove_volume(name)
            raise
        tell(f"`{agent.title}` is in the volume `{name}`, {size >> 20} MiB, verified", False)


def _listed(agent: Agent) -> str:
    packages = agent.of_machine(platform.machine())
    return ", ".join(f"`{each.name}` {each.version}" for each in packages)


def task(agent: Agent, machine: str, environ: Mapping[str, str]) -> dict[str, object]:
    """The input of the program `inside.unpack`: the packages to fetch for a machine, and the folder to put them in.

    :param machine: its architecture, as `uname -m` writes it
    """
    return {
        "folder": volume.TARGET,
        "authorities": roots.pem(environ),
        "packages": [
            {"name": each.name, "url": each.url, "integrity": each.integrity}
            for each in agent.of_machine(machine)
        ],
    }


def _fill(
    engine: Engine,
    agent: Agent,
    place: Place,
    environ: Mapping[str, str],
    report: Report,
    say: Callable[[str], None],
) -> None:
    """Run the program that fetches and unpacks, in a sandbox with the volume; `report` gets its output."""
    source = programs.source_of("unpack")
    text = programs.with_task(source, task(agent, platform.machine(), environ))
    modules = programs.imported_by([source])
    beside = egress.prepare(engine, place.folder, place.rights, place.gateway_image, say)
    body = _body(beside.image, agent, place.runtime)
    egress.add_to(body, beside.joined, engine)
    targets = [mount["Target"] for mount in body["HostConfig"].get("Mounts") or []]
    cache = cache_folder(environ)
    try:
        with contextlib.ExitStack() as stack:
            # The gateway runs once its block is left.
            with egress.beside(engine, beside, say, secrets.token_hex(8)):
                started = stack.enter_context(
                    container.running(engine, NAME, body, targets, modules, cache, LIFE_SECONDS)
                )
            _run(engine, started, text, report)
    finally:
        egress.leave(engine, place.folder, with_network=True)


def _run(engine: Engine, started: Started, text: bytes, report: Report) -> None:
    request = Exec(started.command("-"), env=started.environment())
    try:
        programs.run(engine, started.id, request, text, LIFE_SECONDS, report.write)
    except TimeoutError:
        raise EnvironmentFailure(
            f"it was not fetched within {LIFE_SECONDS // 60} minutes", _HINT
        ) from None


def _body(image: str, agent: Agent, runtime: str) -> CreateRequest:
    label, _, value = volume.label(agent).partition("=")
    return {
        # Any image that the engine has will do: none of its programs runs.
        "Image": image,
        "User": "0:0",
        "Env": [],
        "Labels": {PROJECT: "none", MADE_BY: "installation"},
        "HostConfig": {
            "Runtime": runtime,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "Memory": _MEMORY,
            "MemorySwap": _MEMORY,
            "PidsLimit": _PROCESSES,
            "LogConfig": {"Type": "none"},
            "Mounts": [
                {
                    "Type": "volume",
                    "Source": volume.name(agent),
                    "Target": volume.TARGET,
                    "VolumeOptions": {
                        "NoCopy": True,
                        "Labels": {label: value, START: secrets.token_hex(16)},
                    },
                }
            ],
        },
    }


class Report:
    """Parses the output of the program inside, line by line; it comes from a sandbox, so each line is checked."""

    def __init__(
        self, agent: Agent, tell: Callable[[str, bool], None], has_proxy: bool = False
    ) -> None:
        """:param has_proxy: whether the way out is a company's proxy"""
        self._agent = agent
        self._tell = tell
        self._rest = b""
        self._size = -1
        self._failure = ""
        self._reason = ""
        self._has_proxy = has_proxy
        self._errors = b""

    def write(self, stream: int, data: bytes) -> None:
        if stream == 2:
            self._errors = (self._errors + data)[-500:]
            return
        *lines, self._rest = (self._rest + data)[-65536:].split(b"\n")
        for line in lines:
            try:
                self._take(*json.loads(line))
            except (ValueError, TypeError):
                self._failure = "its output cannot be read"

    def _take(self, what: str, *words: object) -> None:
        if what == "fetch":
            _, got, total = words
            of = f" of {int(str(total)) >> 20}" if total else ""
            self._tell(f"fetched {int(str(got)) >> 20}{of} MiB", True)
        elif what == "unpack":
            self._tell("the digest is right; unpacking", True)
        elif what == "done":
            self._size = int(str(words[0]))
        elif what == "failed":
            self._failure = str(words[0])[:500]
            self._reason = str(words[1]) if words[1:] else ""

    def result(self) -> int:
        """The size of the installed program in bytes.

        :raises EnvironmentFailure: the program inside did not finish
        """
        if self._failure or self._size < 0:
            errors = self._errors.decode("utf-8", "replace").strip().splitlines()
            why = self._failure or (errors[-1] if errors else "it ended early")
            step = egress_words.next_step(self._reason, self._has_proxy)
            hint = f"{step}; then run `sandboxd agent` again" if step else _HINT
            raise EnvironmentFailure(f"`{self._agent.title}` is not installed: {why}", hint)
        return self._size

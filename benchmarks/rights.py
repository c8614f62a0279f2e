#!/usr/bin/env python3
"""Measure how long a sandbox that runs still has what was taken from it, from the save of a file until its gateway
enforces less.

    benchmarks/rights.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

The sandbox, its gateway, the daemon and an `ssh-agent` are real, on the engine of DOCKER_HOST, else on a private one.
Each round takes back a name, a credential of the gateway and the keys of the agent, each by each file that can, and gives
it again outside of the clock. For names and credentials the end is the gateway's own word that a policy is in force, with
its time; engine and gateway have the host's clock. For keys it is the engine's word that the relay inside has ended, by
which programs reached the agent. Where the engine is on another machine the clocks differ, and the figures mean nothing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rows
import up

from sandboxd import deadline
from sandboxd.egress.messages import PolicySet
from sandboxd.engine.client import connect_from
from sandboxd.errors import SandboxdError
from sandboxd.files import CONFIG_NAME
from sandboxd.life import gateway, running_gateway
from sandboxd.life.gateway_channel import attach
from sandboxd.model.labels import PROJECT
from tools.engine import packages, private

BUDGET = 2000.0
"""Milliseconds, p95."""

_SECONDS = 60.0
_SETTLE_SECONDS = 0.3
"""After what was given again, so that the daemon is found at rest."""

_NAMES = '[network]\nmode = "allow"\nallow = ["a.example.org", "b.example.org"]\n'
_CREDENTIALS = '[credentials]\nuse = ["github", "ssh"]\n'
_SSH_HOST = "forge.example.org"
_RELAY = "sandboxd-python-"
"""What is in the words of the commands by which a Python of ours runs in an image without one."""
_FEWER = _NAMES.replace(', "b.example.org"', "")


def main() -> int:
    return rows.of_runtimes(__doc__, 30, against_budgets)


def against_budgets(rounds: int, runtimes: Sequence[str] = ("runc", "gvisor")) -> list[rows.Row]:
    """The time under every runtime; one row says why where there is no engine."""
    measured: list[rows.Row] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="sbx-rights-") as folder,
            up.engine() as host,
            user_agent(up.user(Path(folder), host)) as own,
            up.daemon(own) as environ,
        ):
            for runtime in runtimes:
                times = measure(Path(folder), environ, runtime, rounds)
                measured += [
                    row
                    for what, each in times.items()
                    for row in rows.spread(f"{runtime}, {what}", each, None, BUDGET)
                ]
    except (private.EngineError, packages.InstallError, RuntimeError) as error:
        measured.append(rows.Row("rights", None, "", None, " ".join(str(error).split())))
    return measured


class Way(NamedTuple):
    """How something is taken back, and given again."""

    take: Callable[[], object]
    give: Callable[[], object]
    is_of_keys: bool = False
    """Whether it is about the keys of the agent; else about what the gateway enforces."""


@contextlib.contextmanager
def user_agent(environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same environment, with a key in an `ssh-agent`, the key of a host, and a token.

    :raises RuntimeError: OpenSSH is not installed
    """
    if shutil.which("ssh-agent") is None:
        raise RuntimeError("`ssh-agent` is not installed: `apt-get install openssh-client`")
    folder = Path(environ["HOME"], ".ssh")
    folder.mkdir(mode=0o700)
    for name in ("key", "host"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    public = (folder / "host.pub").read_text().rsplit(" ", 1)[0]
    (folder / "known_hosts").write_text(f"{_SSH_HOST} {public}\n")
    socket = str(folder / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    own = {**environ, "SSH_AUTH_SOCK": socket, "BENCH_TOKEN": "marked-token"}
    try:
        for _ in deadline.looks_within(_SECONDS):
            if os.path.exists(socket):
                break
            time.sleep(0.02)
        subprocess.run(["ssh-add", "-q", str(folder / "key")], env=own, check=True)
        yield own
    finally:
        agent.terminate()
        agent.wait()


def measure(
    home: Path, environ: dict[str, str], runtime: str, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds from each save until less is in force, by the file that was saved."""
    project = up.make_project(home / runtime, environ, runtime, _NAMES + _CREDENTIALS)
    keys = ["--key", f"{home}/.ssh/key.pub", "--host", _SSH_HOST]
    for words in (["github", "--env", "BENCH_TOKEN"], ["ssh", *keys]):
        up.run([*up.SANDBOXD, "credentials", "add", *words], environ, project)
    trust(environ, project)

    def start() -> None:
        up.run([*up.SANDBOXD, "up", "--allow-runc"], environ, project)

    start()
    every = ways(home, project, start)
    times: dict[str, list[float]] = {}
    try:
        with Gateway(environ, project) as played, Keys(environ, project) as served:
            # Of a relay that began before nobody tells: it begins again.
            every["keys by policy.toml"].take()
            time.sleep(_SETTLE_SECONDS)
            every["keys by policy.toml"].give()
            for _ in range(rounds):
                for what, way in every.items():
                    served.settle()
                    measured = served if way.is_of_keys else played
                    times.setdefault(what, []).append(measured.until_less(what, way))
    finally:
        command = [*up.SANDBOXD, "down", "--discard"]
        subprocess.run(command, env=environ, cwd=project, capture_output=True, check=False)
    return times


def ways(home: Path, project: Path, start: Callable[[], object]) -> dict[str, Way]:
    folder, config = home / ".config/sandboxd", project / CONFIG_NAME
    policy, grants, records = (
        folder / name for name in ("policy.toml", "trust.toml", "credentials.toml")
    )
    whole, granted, recorded = (each.read_text() for each in (config, grants, records))

    def way(path: Path, less: str, more: str, is_of_keys: bool = False) -> Way:
        return Way(lambda: save(path, less), lambda: save(path, more), is_of_keys)

    without_name = whole.replace(_NAMES, _FEWER)
    head, *tables = recorded.split("[[credentials]]")

    def without(name: str) -> str:
        left = (each for each in tables if f'"{name}"' not in each)
        return "[[credentials]]".join([head, *left])

    def give_token() -> None:
        save(records, recorded)
        start()

    without_use = whole.replace(_CREDENTIALS, "")
    return {
        "a name by policy.toml": way(policy, 'network_deny = ["b.example.org"]\n', ""),
        "a name by sandboxd.toml": way(config, without_name, whole),
        "a name by trust.toml": way(grants, "grants = []\n", granted),
        "a token by policy.toml": way(policy, "credentials = []\n", ""),
        # Its secret is for the next start alone.
        "a token by credentials.toml": Way(lambda: save(records, without("github")), give_token),
        "keys by policy.toml": way(policy, "credentials = []\n", "", True),
        "keys by sandboxd.toml": way(config, without_use, whole, True),
        "keys by trust.toml": way(grants, "grants = []\n", granted, True),
        "keys by credentials.toml": way(records, without("ssh"), recorded, True),
    }


def save(path: Path, text: str) -> None:
    """As an editor does: by a rename, or a file that is mounted into the sandbox in place, since a rename halts that."""
    if path.name == CONFIG_NAME:
        path.write_text(text)
        return
    fresh = path.with_name(f".{path.name}.tmp")
    fresh.write_text(text)
    fresh.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
    fresh.rename(path)


def trust(environ: dict[str, str], project: Path) -> None:
    up.run([*up.SANDBOXD, "trust", "add", "--yes", str(project)], environ, project)


class Gateway:
    """The gateway of a project's sandbox, whose word is read as long as the context is open."""

    def __init__(self, environ: dict[str, str], project: Path) -> None:
        engine = connect_from(environ)
        container = gateway.container_of(engine, str(project))
        if container is None:
            raise RuntimeError("the sandbox has no gateway")
        self._whole = running_gateway.version(engine, str(project))
        self._channel = attach(engine, container.id, str(project))
        self._policies: queue.SimpleQueue[PolicySet] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._thread.join(_SECONDS)

    def until_less(self, what: str, way: Way) -> float:
        """Milliseconds from the end of `way.take` until the gateway enforces another policy; then give again."""
        self._settle()
        time.sleep(_SETTLE_SECONDS)
        way.take()
        saved = time.time()
        enforced_at = self._wait(f"less by {what}", lambda version: version != self._whole)
        way.give()
        self._wait(f"all by {what}", lambda version: version == self._whole)
        return max(0.0, (enforced_at - saved) * 1000)

    def _settle(self) -> None:
        """Read what it said while something else was measured, until all is enforced again."""
        version = self._whole
        while version != self._whole or not self._policies.empty():
            version = self._policies.get(timeout=_SECONDS)["version"]

    def _wait(self, what: str, is_meant: Callable[[int], bool]) -> float:
        """When the gateway began to enforce a policy of such a version, in seconds since 1970.

        :raises RuntimeError: it does not in time
        """
        try:
            while True:
                event = self._policies.get(timeout=_SECONDS)
                if is_meant(event["version"]):
                    return event["time"]
        except queue.Empty:
            raise RuntimeError(f"the gateway was not given {what}") from None

    def _read(self) -> None:
        for event in self._channel.events():
            if event["event"] == "policy":
                self._policies.put(event)


class Keys:
    """The relay by which programs in a project's sandbox reach the user's agent, as the engine tells of it."""

    def __init__(self, environ: dict[str, str], project: Path) -> None:
        engine = connect_from(environ)
        self._project, self._events = str(project), engine.events()
        self._changed = threading.Condition()
        self._living: set[str] = set()
        """The relays that run, by the engine's ids of their commands."""
        self._at = time.time()
        """When one of them began or ended last, in seconds since 1970."""
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Keys:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The thread ends with the process: it waits for events that nobody owes it."""

    def settle(self) -> None:
        """Wait until the keys are served: a relay runs, and no other command began or ended for a while.

        :raises RuntimeError: that does not come
        """
        for _ in deadline.looks_within(_SECONDS):
            with self._changed:
                if self._living and time.time() - self._at > 2 * _SETTLE_SECONDS:
                    return
            time.sleep(0.05)
        raise RuntimeError("the keys are not served")

    def until_less(self, what: str, way: Way) -> float:
        """Milliseconds from the end of `way.take` until no relay runs any more; then give again."""
        time.sleep(_SETTLE_SECONDS)
        began = time.time()
        way.take()
        saved = time.time()
        with self._changed:
            is_ended = self._changed.wait_for(
                lambda: self._at > began and not self._living, _SECONDS
            )
            ended_at = self._at
        way.give()
        if not is_ended:
            raise RuntimeError(f"the keys were not taken back: {what}")
        return max(0.0, (ended_at - saved) * 1000)

    def _read(self) -> None:
        # It ends with the engine.
        with contextlib.suppress(SandboxdError):
            self._follow()

    def _follow(self) -> None:
        for event in self._events:
            action = str(event.get("Action", ""))
            about = (event.get("Actor") or {}).get("Attributes") or {}
            command, begins = about.get("execID", ""), action.startswith("exec_start")
            is_relay = begins and _RELAY in action and about.get(PROJECT) == self._project
            if not is_relay and not (action.startswith("exec_die") and command in self._living):
                continue
            with self._changed:
                self._at = time.time()
                if begins:
                    self._living.add(command)
                else:
                    self._living.discard(command)
                self._changed.notify_all()


if __name__ == "__main__":
    sys.exit(main())

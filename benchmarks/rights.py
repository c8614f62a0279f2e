#!/usr/bin/env python3
"""Measure how long a sandbox that runs still has what was taken from it, from the save of a file until its gateway
enforces less.

    benchmarks/rights.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

The sandbox, its gateway and the daemon are real, on the engine of DOCKER_HOST, else on a private one. Each round takes a
name back by each file in turn, by `policy.toml`, by `sandboxd.toml` and by a grant that is revoked, and gives it again
outside of the clock. The end is the gateway's own word that a policy is in force, with its time; engine and gateway
have the host's clock. Where the engine is on another machine the clocks differ, and the figures mean nothing.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rows
import up

from sandboxd.egress.messages import PolicySet
from sandboxd.engine.client import connect_from
from sandboxd.life import gateway, running_gateway
from sandboxd.life.gateway_channel import attach
from tools.engine import packages, private

BUDGET = 2000.0
"""Milliseconds, p95."""

_SECONDS = 60.0
_SETTLE_SECONDS = 0.3
"""After what was given again, so that the daemon is found at rest."""

_NAMES = '[network]\nmode = "allow"\nallow = ["a.example.org", "b.example.org"]\n'
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
            up.daemon(up.user(Path(folder), host)) as environ,
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
    """How a name is taken back, and given again."""

    take: Callable[[], object]
    give: Callable[[], object]


def measure(
    home: Path, environ: dict[str, str], runtime: str, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds from each save until less is in force, by the file that was saved."""
    project = up.make_project(home / runtime, environ, runtime, _NAMES)
    trust(environ, project)
    up.run([*up.SANDBOXD, "up", "--allow-runc"], environ, project)
    times: dict[str, list[float]] = {}
    try:
        with Gateway(environ, project) as played:
            for _ in range(rounds):
                for what, way in ways(home, project).items():
                    times.setdefault(what, []).append(played.until_less(what, way))
    finally:
        command = [*up.SANDBOXD, "down", "--discard"]
        subprocess.run(command, env=environ, cwd=project, capture_output=True, check=False)
    return times


def ways(home: Path, project: Path) -> dict[str, Way]:
    policy = home / ".config/sandboxd/policy.toml"
    config = project / "sandboxd.toml"
    grants = policy.with_name("trust.toml")
    whole, granted = config.read_text(), grants.read_text()
    return {
        "policy.toml": Way(
            lambda: save(policy, 'network_deny = ["b.example.org"]\n'), lambda: save(policy, "")
        ),
        "sandboxd.toml": Way(
            lambda: save(config, whole.replace(_NAMES, _FEWER)), lambda: save(config, whole)
        ),
        "trust.toml": Way(lambda: save(grants, "grants = []\n"), lambda: save(grants, granted)),
    }


def save(path: Path, text: str) -> None:
    """As an editor does, by a rename."""
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
        self._channel = attach(engine, container.id)
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
        time.sleep(_SETTLE_SECONDS)
        way.take()
        saved = time.time()
        enforced_at = self._wait(f"less by {what}", lambda version: version != self._whole)
        way.give()
        self._wait(f"all by {what}", lambda version: version == self._whole)
        return max(0.0, (enforced_at - saved) * 1000)

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


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measure `sandboxd up`, with a daemon and alone, beside `docker run -d` of the same container and
beside other clients.

    benchmarks/up.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

Each round starts the container once with every tool, in turn, and removes it outside of the clock: a
busy machine slows all alike, so read the ratios, which compare within a round. The engine is that of
DOCKER_HOST, else a private one that is stopped at the end. The image is a static busybox.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandboxd.host.probe import probe
from sandboxd.plan.grants import Grants
from sandboxd.plan.writers import argv
from sandboxd.project import Project
from tools.engine import private
from tools.private_engine import import_busybox_image

ROOT = Path(__file__).resolve().parent.parent
_INSTALLED = Path(sys.executable).with_name("sandboxd")
SANDBOXD = [str(_INSTALLED)] if _INSTALLED.exists() else [sys.executable, "-m", "sandboxd"]
CLI = "@devcontainers/cli@0.89.0"
# Beside `docker run -d`; devcontainer-rs is to be no faster.
BUDGET = 1.15
_SECONDS = 120.0


class Tool(NamedTuple):
    """`start` is timed and leaves a container; `stop` is not timed."""

    name: str
    start: list[str]
    stop: list[str]


class Row(NamedTuple):
    """Milliseconds, and the ratio to `docker run -d`: medians over the rounds."""

    runtime: str
    tool: str
    milliseconds: float
    ratio: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runtime", default="runc,gvisor")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the budget is not kept")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="sbx-up-") as folder,
        engine() as host,
        daemon(user(Path(folder), host)) as environ,
    ):
        rows = [
            row
            for runtime in args.runtime.split(",")
            for row in measure(Path(folder), environ, runtime, max(args.rounds, 3))
        ]
    print(json.dumps([row._asdict() for row in rows], indent=1) if args.json else table(rows))
    return 1 if args.strict and not meets_budget(rows) else 0


@contextlib.contextmanager
def engine() -> Iterator[str]:
    given = os.environ.get("DOCKER_HOST")
    if given:
        yield given
        return
    started = private.start(f"bench-{os.getpid()}", owner=os.getpid())
    try:
        yield started.docker_host
    finally:
        private.stop(started.folder)


@contextlib.contextmanager
def daemon(environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same environment, in which a daemon runs."""
    subprocess.run([*SANDBOXD, "daemon", "start"], env=environ, capture_output=True, check=True)
    try:
        yield environ
    finally:
        subprocess.run([*SANDBOXD, "daemon", "stop"], env=environ, capture_output=True, check=False)


def user(home: Path, host: str) -> dict[str, str]:
    for name in ("run", "alone"):
        (home / name).mkdir(mode=0o700)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "DOCKER_HOST": host,
        "PYTHONPATH": str(ROOT),
    }


def measure(home: Path, environ: dict[str, str], runtime: str, rounds: int) -> list[Row]:
    """All tools with one runtime; the first start of each is not counted."""
    project = home / runtime
    (project / ".git/hooks").mkdir(parents=True)
    (project / ".vscode").mkdir()
    image = import_busybox_image(environ["DOCKER_HOST"])
    (project / "sandboxd.toml").write_text(f'image = "{image}"\nruntime = "{runtime}"\n')
    for path in (project, *project.rglob("*")):
        os.chown(path, 1000, 1000)
    present = tools(project, environ)
    times: dict[str, list[float]] = {tool.name: [] for tool in present}
    for index in range(rounds + 1):
        for tool in present:
            seconds = started_in(tool, environ, project)
            if index:
                times[tool.name].append(seconds)
    docker = times["docker run -d"]
    return [
        Row(
            runtime,
            name,
            statistics.median(seconds) * 1000,
            statistics.median(one / other for one, other in zip(seconds, docker, strict=True)),
        )
        for name, seconds in times.items()
    ]


def tools(project: Path, environ: dict[str, str]) -> list[Tool]:
    """Those that are there; what is generated for editors is what the other clients start."""
    opened = Project.open(str(project), environ)
    plan = opened.plan(probe(environ, trial=True), Grants(allow_runc=True))
    opened.generate(probe(environ, trial=True), Grants(allow_runc=True))
    words = argv.render(plan)
    name = plan.container.name
    up = [*SANDBOXD, "up", "--allow-runc", f"--project={project}"]
    alone = ["env", f"XDG_RUNTIME_DIR={environ['HOME']}/alone"]
    remove = ["docker", "rm", "--force", "--volumes", name]
    present = [
        Tool("sandboxd up", up, remove),
        Tool("sandboxd up, no daemon", [*alone, *up], remove),
        Tool("docker run -d", words, remove),
    ]
    clean = [
        "sh",
        "-c",
        f"docker rm -fv $(docker ps -aq --filter label=dev.sandboxd.project={project})",
    ]
    for label, client in clients():
        options = ["--workspace-folder", str(project), "--docker-path", "docker"]
        present.append(Tool(label, [*client, "up", *options], clean))
    return present


def clients() -> Iterator[tuple[str, list[str]]]:
    rs = Path(sys.executable).with_name("devcontainer")
    if rs.exists():
        yield "devcontainer-rs up", [str(rs)]
    npx = shutil.which("npx")
    if npx:
        # Not through npx, which takes half a second by itself.
        where = [npx, "--yes", f"--package={CLI}", "--call", "command -v devcontainer"]
        done = subprocess.run(where, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            yield "dev container CLI up", [done.stdout.strip()]


def started_in(tool: Tool, environ: dict[str, str], cwd: Path) -> float:
    """Seconds until the tool says that the container runs; it is removed afterwards.

    :raises RuntimeError: it does not start
    """
    before = time.perf_counter()
    done = subprocess.run(
        tool.start,
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    seconds = time.perf_counter() - before
    subprocess.run(tool.stop, env=environ, capture_output=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{tool.name}: {done.stderr[-600:]}")
    return seconds


def meets_budget(rows: list[Row]) -> bool:
    def ratio(runtime: str, tool: str) -> float | None:
        ratios = [row.ratio for row in rows if (row.runtime, row.tool) == (runtime, tool)]
        return ratios[0] if ratios else None

    for runtime in {row.runtime for row in rows}:
        own, other = ratio(runtime, "sandboxd up"), ratio(runtime, "devcontainer-rs up")
        if own is None or own > BUDGET or (other is not None and own > other):
            return False
    return True


def table(rows: list[Row]) -> str:
    lines = [f"{'RUNTIME':<8} {'TOOL':<24} {'MS':>7}  OF docker run -d"]
    lines += [f"{r.runtime:<8} {r.tool:<24} {r.milliseconds:>7.0f}  {r.ratio:.2f}" for r in rows]
    return "\n".join(
        [*lines, f"budget of `sandboxd up`: {BUDGET}, and no slower than devcontainer-rs"]
    )


if __name__ == "__main__":
    sys.exit(main())

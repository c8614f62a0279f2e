#!/usr/bin/env python3
"""Measure `sandboxd up` and `exec`, with a daemon and alone, beside `docker run -d` of the same container,
`docker exec` in it, and other clients.

    benchmarks/up.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

Each round starts the container once with every tool, in turn, and removes it outside of the clock: a
busy machine slows all alike, so read the ratios, which compare within a round. The engine is that of
DOCKER_HOST, else a private one that is stopped at the end. The image is a static busybox.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rows

from sandboxd.host.probe import probe
from sandboxd.plan.container_name import container_name
from sandboxd.plan.grants import Grants
from sandboxd.plan.writers import argv
from sandboxd.project import Project
from tools.engine import packages, private
from tools.private_engine import import_busybox_image

ROOT = Path(__file__).resolve().parent.parent
_INSTALLED = Path(sys.executable).with_name("sandboxd")
SANDBOXD = [str(_INSTALLED)] if _INSTALLED.exists() else [sys.executable, "-m", "sandboxd"]
CLI = "@devcontainers/cli@0.89.0"
UP_BUDGET, EXEC_BUDGET = 1.15, 1.2
"""Beside `docker run -d` and `docker exec`; besides, no other client is to be faster at `up`."""
GATEWAY_BUDGET = 100.0
"""Milliseconds that a gateway may add."""
_SECONDS = 120.0


class Tool(NamedTuple):
    """`start` is timed and leaves a container; `stop` is not timed."""

    name: str
    start: list[str]
    stop: list[str]


class Timing(NamedTuple):
    """Milliseconds, and the ratio to docker's own command: medians over the rounds."""

    runtime: str
    tool: str
    milliseconds: float
    ratio: float
    of_own: float
    """The ratio of `sandboxd`'s own time, with a daemon, to this one's."""


def main() -> int:
    return rows.of_runtimes(__doc__, 15, against_budgets)


def against_budgets(rounds: int, runtimes: Sequence[str] = ("runc", "gvisor")) -> list[rows.Row]:
    """Every tool's time under every runtime; one row says why where there is no engine."""
    try:
        timings = measure_all(rounds, runtimes)
    except (private.EngineError, packages.InstallError, RuntimeError) as error:
        why = " ".join(str(error).split())
        return [rows.Row("up and exec", None, "", None, why)]
    own = {t.runtime: t.milliseconds for t in timings if t.tool == "sandboxd up"}
    return [row for timing in timings for row in rows_of(timing, own[timing.runtime])]


def rows_of(timing: Timing, own: float) -> list[rows.Row]:
    """The time of one tool as a fact or, where it is ours or rivals ours, with its budget.

    :param own: milliseconds of `sandboxd up` with the same runtime
    """
    is_exec = " exec" in timing.tool
    base = "docker exec" if is_exec else "docker run -d"
    is_own = timing.tool in ("sandboxd up", "sandboxd exec")
    budget = (EXEC_BUDGET if is_exec else UP_BUDGET) if is_own else None
    what, detail = f"{timing.runtime}, {timing.tool}", f"{timing.milliseconds:.0f} ms"
    table_rows = [rows.Row(what, timing.ratio, f"x {base}", budget, detail)]
    if timing.tool.startswith("devcontainer-rs up"):
        beside = f"{timing.runtime}, sandboxd up beside it"
        table_rows.append(rows.Row(beside, timing.of_own, "x devcontainer-rs", 1.0, ""))
    if timing.tool.endswith("gateway"):
        more = timing.milliseconds - own
        table_rows.append(
            rows.Row(f"{timing.runtime}, its gateway", more, "ms", GATEWAY_BUDGET, "")
        )
    return table_rows


def measure_all(rounds: int, runtimes: Sequence[str]) -> list[Timing]:
    """One engine and one daemon for all.

    :raises EngineError, InstallError, RuntimeError: there is no engine, or a tool does not start
    """
    with (
        tempfile.TemporaryDirectory(prefix="sbx-up-") as folder,
        engine() as host,
        daemon(user(Path(folder), host)) as environ,
    ):
        return [
            timing
            for runtime in runtimes
            for timing in measure(Path(folder), environ, runtime, rounds)
        ]


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
        "SANDBOXD_NO_DAEMON": "1",
        "PYTHONPATH": str(ROOT),
    }


def measure(home: Path, environ: dict[str, str], runtime: str, rounds: int) -> list[Timing]:
    """All tools with one runtime; the first start of each is not counted."""
    # As the other tools start it: on an open network.
    project = make_project(home / runtime, environ, runtime, '[network]\nmode = "open"\n')
    run([*SANDBOXD, "trust", "add", "--yes", str(project)], environ, project)
    guarded = make_project(home / f"{runtime}-guarded", environ, runtime, "")
    # As the other one: of what is granted a daemon generates the file, and `down` keeps the network that it names.
    run([*SANDBOXD, "trust", "add", "--yes", str(guarded)], environ, guarded)
    starts = [*tools(project, environ), with_gateway(guarded)]
    times: dict[str, list[float]] = {tool.name: [] for tool in starts}
    for index in range(rounds + 1):
        for tool in starts:
            seconds = started_in(tool, environ, project)
            if index:
                times[tool.name].append(seconds)
    commands = measure_exec(project, environ, rounds)
    return [
        *compared(runtime, times, "docker run -d", "sandboxd up"),
        *compared(runtime, commands, "docker exec", "sandboxd exec"),
    ]


def make_project(folder: Path, environ: dict[str, str], runtime: str, more: str) -> Path:
    """A project with folders that are pinned, of a user as most images have one."""
    (folder / ".git/hooks").mkdir(parents=True)
    (folder / ".vscode").mkdir()
    image = import_busybox_image(environ["DOCKER_HOST"])
    (folder / "sandboxd.toml").write_text(f'image = "{image}"\nruntime = "{runtime}"\n{more}')
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1000, 1000)
    return folder


def with_gateway(project: Path) -> Tool:
    """A start as it is by default, with a gateway for the network beside the container."""
    options = [f"--project={project}"]
    start = [*SANDBOXD, "up", "--allow-runc", *options]
    return Tool("sandboxd up, with its gateway", start, [*SANDBOXD, "down", *options])


def compared(runtime: str, times: dict[str, list[float]], base: str, own: str) -> Iterator[Timing]:
    for name, seconds in times.items():
        yield Timing(
            runtime,
            name,
            statistics.median(seconds) * 1000,
            ratio(seconds, times[base]),
            ratio(times[own], seconds),
        )


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median over the rounds of the ratios within a round."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def measure_exec(project: Path, environ: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Seconds of `true` in a sandbox that runs, and in the containers of the other clients."""
    name = container_name(str(project))
    own = ["exec", f"--project={project}", "-n", "--", "true"]
    alone = ["env", f"XDG_RUNTIME_DIR={environ['HOME']}/alone"]
    commands = {
        "sandboxd exec": [*SANDBOXD, *own],
        "sandboxd exec, no daemon": [*alone, *SANDBOXD, *own],
        "docker exec": ["docker", "exec", name, "true"],
    }
    run([*SANDBOXD, "up", "--allow-runc", f"--project={project}"], environ, project)
    try:
        for label, client in clients():
            options = ["--workspace-folder", str(project), "--docker-path", "docker"]
            run([*client, "up", *options], environ, project)
            commands[label.replace(" up", " exec")] = [*client, "exec", *options, "true"]
        times: dict[str, list[float]] = {name: [] for name in commands}
        for index in range(rounds * 2 + 1):
            for label, command in commands.items():
                seconds = run(command, environ, project)
                if index:
                    times[label].append(seconds)
        return times
    finally:
        run(removing(project), environ, project)


def tools(project: Path, environ: dict[str, str]) -> list[Tool]:
    """Those that are there; what is generated for editors is what the other clients start."""
    opened = Project.open(str(project), environ)
    plan = opened.plan(probe(environ, trial=True), Grants(allow_runc=True, trusted=True))
    opened.generate(probe(environ, trial=True), Grants(allow_runc=True, trusted=True))
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
    for label, client in clients():
        options = ["--workspace-folder", str(project), "--docker-path", "docker"]
        present.append(Tool(label, [*client, "up", *options], removing(project)))
    return present


def removing(project: Path) -> list[str]:
    """The command that removes every container of the project, whoever made it."""
    label = f"label=dev.sandboxd.project={project}"
    return ["sh", "-c", f"docker rm -fv $(docker ps -aq --filter {label})"]


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
    try:
        return run(tool.start, environ, cwd)
    finally:
        subprocess.run(tool.stop, env=environ, capture_output=True, check=False, timeout=_SECONDS)


def run(command: list[str], environ: dict[str, str], cwd: Path) -> float:
    """Seconds that a command takes.

    :raises RuntimeError: it fails
    """
    before = time.perf_counter()
    done = subprocess.run(
        command,
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    seconds = time.perf_counter() - before
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` {end_of(done)}")
    return seconds


def end_of(done: subprocess.CompletedProcess[str]) -> str:
    """How a program that failed ended, in one line: its code and its error, else its last words."""
    lines = [line.strip() for line in f"{done.stderr}\n{done.stdout}".splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error:", "hint:", "Error"))]
    words = " ".join(errors or lines[-3:]) or "without a word"
    how = (
        f"was killed by signal {-done.returncode}"
        if done.returncode < 0
        else f"ended with {done.returncode}"
    )
    return f"{how}: {words[-500:]}"


if __name__ == "__main__":
    sys.exit(main())

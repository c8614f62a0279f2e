#!/usr/bin/env python3
"""Measure a copy that is kept the same beside a mount of the folder, and beside `rsync -a` of the same files.

    benchmarks/synced.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

Of 5,000 files in 100 folders under git, in turn with both layouts and by a real daemon. A shell inside reads lines: for
`see N` it opens a file until that says N, for `say N` it writes N into another one; the clock is the host's, from the rename
or the line on, so both include the way of a line through `docker exec`, which the mount's column shows.
`switch` is from the end of the host's `git switch`, which changes every file, until `sandboxd exec` begins its command:
it compares both sides first.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import halts
import processes
import rows
import up

from sandboxd.engine.client import connect_from
from sandboxd.ipc import client
from sandboxd.model.labels import PROJECT
from sandboxd.plan.mounts import target_folder
from tools.engine import packages, private
from tools.private_engine import import_busybox_image

IN_BUDGETS = (60.0, 150.0)
OUT_BUDGET = 300.0
SWITCH_BUDGET = 3000.0
LATER_BUDGET = 2000.0
IDLE_BUDGET = 0.3
"""Milliseconds: p50 and p95 inwards, p95 outwards, a switch, a later start; percent of a processor at rest."""

FILES, FOLDERS = 5_000, 100
_LAYOUTS = ("bind", "synced")
_SETTLE_SECONDS = 3.0
_USER = 1000
_INSIDE = """
while read act number; do
  if [ $act = see ]; then
    until { read text <seen; } 2>/dev/null && [ "$text" = $number ]; do :; done
    echo $number
  else
    echo $number >.said && mv .said said
  fi
done
"""


def main() -> int:
    return rows.of_runtimes(__doc__, 25, against_budgets)


def against_budgets(rounds: int, runtimes: Sequence[str] = ("runc", "gvisor")) -> list[rows.Row]:
    """Each act under every runtime and layout; one row says why where there is no engine."""
    return list(_measured(rounds, runtimes))


def _measured(rounds: int, runtimes: Sequence[str]) -> Iterator[rows.Row]:
    try:
        with (
            tempfile.TemporaryDirectory(prefix="sbx-synced-") as folder,
            up.engine() as host,
            up.daemon(up.user(Path(folder), host)) as environ,
        ):
            os.chmod(folder, 0o711)
            for runtime in runtimes:
                for layout in _LAYOUTS:
                    project = make_project(
                        Path(folder) / f"{runtime}-{layout}", environ, runtime, layout
                    )
                    yield from of_layout(project, environ, f"{runtime}, {layout}", rounds)
            yield from beside(Path(folder))
    except (private.EngineError, packages.InstallError, RuntimeError) as error:
        yield rows.Row("synced", None, "", None, " ".join(str(error).split()))


def make_project(folder: Path, environ: dict[str, str], runtime: str, layout: str) -> Path:
    """A repository with the branches `main` and `other`, which differ in every file but one."""
    folder.mkdir()
    image = import_busybox_image(environ["DOCKER_HOST"])
    (folder / "sandboxd.toml").write_text(
        f'image = "{image}"\nruntime = "{runtime}"\n[workspace]\nlayout = "{layout}"\n'
    )
    halts.git(folder, "init", "-q", "-b", "main")
    for key, value in (("user.name", "A User"), ("user.email", "u@example.org"), ("gc.auto", "0")):
        halts.git(folder, "config", key, value)
    for branch in ("main", "other"):
        if branch != "main":
            halts.git(folder, "switch", "-q", "-c", branch)
        write_files(folder, branch)
        halts.git(folder, "add", ".")
        halts.git(folder, "commit", "-q", "-m", branch)
    halts.git(folder, "switch", "-q", "main")
    give(folder)
    up.run([*up.SANDBOXD, "trust", "add", "--yes", str(folder)], environ, folder)
    return folder


def write_files(folder: Path, text: str) -> None:
    for number in range(FILES):
        path = folder / f"d{number % FOLDERS}" / f"f{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text} {number}\n" * 15)


def give(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, _USER, _USER)


def of_layout(project: Path, environ: dict[str, str], what: str, rounds: int) -> Iterator[rows.Row]:
    """All rows of one sandbox; budgets are those of a copy that is kept the same."""
    is_synced = what.endswith("synced")

    def row(name: str, value: float, unit: str, budget: float | None, detail: str = "") -> rows.Row:
        return rows.Row(f"{what}: {name}", value, unit, budget if is_synced else None, detail)

    start = [*up.SANDBOXD, "up", "--allow-runc"]
    yield row("first start", up.run(start, environ, project) * 1000, "ms", None, f"{FILES} files")
    try:
        up.run([*up.SANDBOXD, "down"], environ, project)
        in_memory = what.startswith("gvisor")
        later = up.run(start, environ, project) * 1000
        yield row("later start", later, "ms", None if in_memory else LATER_BUDGET)
        inwards, outwards = saves(project, environ, rounds)
        p50, p95 = IN_BUDGETS if is_synced else (None, None)
        yield from rows.spread(f"{what}: saved here, read inside", inwards, p50, p95)
        out_budget = OUT_BUDGET if is_synced else None
        yield from rows.spread(f"{what}: saved inside, read here", outwards, None, out_budget)
        yield row(
            "git switch", switch(project, environ) * 1000, "ms", SWITCH_BUDGET, f"{FILES} files"
        )
        yield row("at rest", idle(environ, project), "%", IDLE_BUDGET, "the daemon")
    finally:
        command = [*up.SANDBOXD, "down", "--discard"]
        subprocess.run(command, env=environ, cwd=project, capture_output=True, check=False)


def saves(project: Path, environ: dict[str, str], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of saves on the host and inside until the other side reads them."""
    (container,) = connect_from(environ).containers(f"{PROJECT}={project}")
    folder = target_folder(str(project))
    command = ["docker", "exec", "-i", "-w", folder, container.id, "sh", "-c", _INSIDE]
    inwards, outwards = [], []
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as shell:
        assert shell.stdin is not None and shell.stdout is not None
        try:
            for number in range(rounds + 1):
                times = (
                    saved_here(project, shell.stdin, shell.stdout, str(number)),
                    saved_inside(project, shell.stdin, str(number)),
                )
                if number:
                    inwards.append(times[0] * 1000)
                    outwards.append(times[1] * 1000)
        finally:
            shell.stdin.close()
    return inwards, outwards


def saved_here(project: Path, ask: IO[str], answers: IO[str], number: str) -> float:
    ask.write(f"see {number}\n")
    time.sleep(0.3)
    fresh = project / "fresh"
    fresh.write_text(f"{number}\n")
    os.chown(fresh, _USER, _USER)
    began = time.perf_counter()
    fresh.rename(project / "seen")
    if answers.readline().strip() != number:
        raise RuntimeError("the shell inside ended")
    return time.perf_counter() - began


def saved_inside(project: Path, ask: IO[str], number: str) -> float:
    time.sleep(0.3)
    said = project / "said"
    began = time.perf_counter()
    ask.write(f"say {number}\n")
    halts.until(lambda: said.exists() and said.read_text().strip() == number, "nothing came out")
    return time.perf_counter() - began


def switch(project: Path, environ: dict[str, str]) -> float:
    """Seconds from a `git switch` on the host until a command inside begins, with every file."""
    # As the user: a daemon works in the repository meanwhile.
    command = ["git", "-c", "safe.directory=*", "switch", "-q", "other"]
    subprocess.run(command, cwd=project, env=environ, check=True, user=_USER, group=_USER)
    began = time.perf_counter()
    check = "cat d*/f* | grep -c '^other '; grep -c '^main ' d*/f* | grep -vc ':0'"
    up.run([*up.SANDBOXD, "exec", "-n", "--", "true"], environ, project)
    seconds = time.perf_counter() - began
    command = [*up.SANDBOXD, "exec", "-n", "--", "sh", "-c", check]
    done = subprocess.run(
        command, env=environ, cwd=project, capture_output=True, text=True, check=False
    )
    if done.stdout.split() != [str(15 * FILES), "0"]:
        raise RuntimeError(f"not all files are the same: {done.stdout}{done.stderr}")
    return seconds


def idle(environ: dict[str, str], project: Path) -> float:
    """Percent of a processor that the daemon takes while nothing changes."""
    time.sleep(_SETTLE_SECONDS)
    connection = client.connect(environ, str(project), start=False)
    if connection is None:
        raise RuntimeError("the daemon ended")
    with connection:
        process = connection.daemon_pid
    return processes.idleness(process)[0]


def beside(folder: Path) -> Iterator[rows.Row]:
    """`rsync -a` of the same files: the first copy, and one in which one file changed."""
    rsync = shutil.which("rsync")
    if rsync is None:
        yield rows.Row("rsync -a", None, "", None, "it is not installed")
        return
    source, target = folder / "source", folder / "target"
    source.mkdir()
    write_files(source, "main")
    command = [rsync, "-a", f"{source}/", str(target)]

    def once() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True)
        return (time.perf_counter() - began) * 1000

    yield rows.Row("rsync -a, first copy", once(), "ms", None, f"{FILES} files")
    times = []
    for number in range(5):
        (source / "d0/f0").write_text(f"{number}\n")
        times.append(once())
    yield rows.Row("rsync -a, one file changed", statistics.median(times), "ms", None, "of 5")


if __name__ == "__main__":
    sys.exit(main())

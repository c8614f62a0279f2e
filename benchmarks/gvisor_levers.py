#!/usr/bin/env python3
"""Measure what makes file work under gVisor faster, each lever alone, beside runc.

    benchmarks/gvisor_levers.py [--layouts] [--rounds N] [--files N] [--json]

With `--layouts` it is not levers but the ways in which `sandboxd up` has a workspace: the folder itself, with hot
trees in memory, and a private copy in a volume; each under runc, and under gVisor with directfs off and on.

All containers stay up; in each round every one does the same work once, in turn, so that a busy machine
slows all alike. The ratio is to runc in the same round: read its median and its spread, not milliseconds.
`SANDBOXD_TEST_RUNSC` names another build of gVisor. Needs root: it starts an engine of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.e2e import rich_image
from tools.engine import private, runtimes

OFF = "--directfs=false"
RUNTIMES: dict[str, tuple[str, ...]] = {
    "off": (OFF,),
    "on": (),
    "off-memory": (OFF, "--overlay2=root:memory"),
}


class Place(NamedTuple):
    """A way to have the project: `runtime` of `RUNTIMES` or ``runc``; a `copy` in ``memory`` or a ``volume``."""

    name: str
    runtime: str
    copy: str = ""
    is_hot: bool = False
    """Whether packages are unpacked into a tmpfs."""
    env: tuple[str, ...] = ()


MINIMAL = ("core.checkStat", "minimal")
UNTRACKED = ("core.untrackedCache", "true")


def _git(*settings: tuple[str, str]) -> tuple[str, ...]:
    pairs = [f"GIT_CONFIG_COUNT={len(settings)}"]
    for number, (key, value) in enumerate(settings):
        pairs += [f"GIT_CONFIG_KEY_{number}={key}", f"GIT_CONFIG_VALUE_{number}={value}"]
    return tuple(pairs)


LAYOUTS = tuple(
    Place(f"{title}, {layout}", runtime, copy, is_hot)
    for title, runtime in (("runc", "runc"), ("directfs off", "off"), ("directfs on", "on"))
    for layout, copy, is_hot in (
        ("bind", "", False),
        ("hot trees", "", True),
        ("private copy", "volume", False),
    )
)

LEVERS = (
    Place("runc, bind", "runc"),
    Place("directfs off, bind", "off"),
    Place("directfs on, bind", "on"),
    Place("off, checkStat minimal", "off", env=_git(MINIMAL)),
    Place("off, minimal and untracked cache", "off", env=_git(MINIMAL, UNTRACKED)),
    Place("off, root in memory", "off-memory"),
    Place("off, copy in memory", "off", copy="memory"),
)

WORK = {
    "git status": "git status --porcelain",
    "grep": "grep -r needle-that-is-nowhere src || true",
    "tests": "python3 -m unittest discover -q -s checks 2>/dev/null",
    "build": "make -s -C c clean && make -s -j2 -C c all",
    # The folder itself may be a mount.
    "unpack packages": "mkdir -p node_modules && find node_modules -mindepth 1 -delete && "
    "tar -xf packages.tar -C node_modules",
}

_PROGRAM = """
import subprocess, sys, time
command = sys.argv[1]
began = time.monotonic()
code = subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL).returncode
print(code, time.monotonic() - began)
"""


def make_project(folder: Path, files: int) -> None:
    """A repository with `files` files, tests, a C program and an archive of packages."""
    for number in range(files):
        path = folder / "src" / f"part{number // 100}" / f"file{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of file {number}\n" * 10)
    checks = folder / "checks"
    checks.mkdir()
    for number in range(60):
        (checks / f"test_{number}.py").write_text(
            "import json, tempfile, unittest\n\n\nclass Case(unittest.TestCase):\n"
            "    def test_it(self):\n"
            "        with tempfile.TemporaryFile('w+') as file:\n"
            "            json.dump(list(range(2000)), file)\n"
            "            file.seek(0)\n"
            "            self.assertEqual(sum(json.load(file)), 1999000)\n"
        )
    _make_c(folder / "c")
    _make_packages(folder)
    (folder / ".gitignore").write_text("node_modules\npackages.tar\n__pycache__\n*.o\nc/program\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        # A tidying of git in the background would move files while they are copied.
        identity = ["-c", "gc.auto=0", "-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(
            ["git", *identity, "-c", "maintenance.auto=false", *words],
            cwd=folder,
            check=True,
            capture_output=True,
        )


def _make_c(folder: Path) -> None:
    folder.mkdir()
    names = [f"part{number}" for number in range(12)]
    for name in names:
        (folder / f"{name}.c").write_text(
            f"#include <stdio.h>\n#include <stdlib.h>\nint {name}(int x) {{ return x + 1; }}\n"
        )
    calls = "".join(f"int {name}(int);" for name in names)
    total = " + ".join(f"{name}(1)" for name in names)
    (folder / "main.c").write_text(f"{calls}\nint main(void) {{ return {total}; }}\n")
    objects = " ".join(f"{name}.o" for name in (*names, "main"))
    (folder / "Makefile").write_text(
        f"all: program\nprogram: {objects}\n\tld -r -o $@ $^\n%.o: %.c\n\tgcc -c $< -o $@\n"
        f"clean:\n\trm -f program {objects}\n"
    )


def _make_packages(folder: Path) -> None:
    """An archive of 1,500 small files, as an installation of packages unpacks them."""
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(1500):
            path = Path(temporary) / f"package{number // 15}" / f"module{number}.js"
            path.parent.mkdir(exist_ok=True)
            path.write_text("module.exports = 1;\n" * 20)
        subprocess.run(["tar", "-cf", folder / "packages.tar", "-C", temporary, "."], check=True)


@contextlib.contextmanager
def engine() -> Iterator[tuple[str, str]]:
    """An engine with all of `RUNTIMES`, and the path of its runsc."""
    found, reason = runtimes.configured()
    if not found:
        raise SystemExit(f"gVisor is not here: {reason}")
    stock = found["runsc"]
    assert isinstance(stock, dict)
    started = private.start(f"levers-{os.getpid()}", owner=os.getpid())
    try:
        path = Path(started.folder) / "daemon.json"
        config = json.loads(path.read_text())
        for name, arguments in RUNTIMES.items():
            words = [*arguments, *stock["runtimeArgs"]]
            config["runtimes"][f"lever-{name}"] = {"path": stock["path"], "runtimeArgs": words}
        path.write_text(json.dumps(config))
        os.kill(started.pid, signal.SIGHUP)
        _wait_for_runtimes(started.docker_host)
        yield started.docker_host, str(stock["path"])
    finally:
        private.stop(started.folder)


def _wait_for_runtimes(host: str) -> None:
    deadline = time.monotonic() + 60
    while f"lever-{list(RUNTIMES)[-1]}" not in docker(host, "info", "-f", "{{json .Runtimes}}"):
        if time.monotonic() > deadline:
            raise SystemExit("the engine did not take the runtimes")
        time.sleep(0.1)


def docker(host: str, *words: str) -> str:
    done = subprocess.run(
        ["docker", "-H", host, *words], capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).split())[-300:]
        raise SystemExit(f"`docker {' '.join(words)}` ended with {done.returncode}: {last}")
    return done.stdout


def start(host: str, image: str, place: Place, project: Path) -> str:
    """A container that waits, with the project at /work; its id."""
    runtime = place.runtime if place.runtime == "runc" else f"lever-{place.runtime}"
    words = ["run", "-d", "--init=false", "--network=none", f"--runtime={runtime}"]
    words += [f"--env={pair}" for pair in (*place.env, "HOME=/root", "PYTHONDONTWRITEBYTECODE=1")]
    words += ["-v", f"{project}:{'/source' if place.copy else '/work'}"]
    if place.copy:
        words += ["--tmpfs=/work:exec,size=1g"] if place.copy == "memory" else ["-v", "/work"]
    if place.is_hot:
        (project / "node_modules").mkdir(exist_ok=True)
        words += ["--tmpfs=/work/node_modules:exec,size=1g"]
    container = docker(host, *words, image, "sleep", "7200").strip()
    if place.copy:
        docker(host, "exec", container, "sh", "-c", "cp -a /source/. /work/")
    docker(host, "exec", container, "git", "config", "--global", "safe.directory", "*")
    return container


def seconds(host: str, container: str, command: str) -> float:
    """How long `command` took inside; starting a process by the engine is not counted."""
    words = ("exec", "-w", "/work", container, "python3", "-c", _PROGRAM, command)
    code, taken = docker(host, *words).split()
    if code != "0":
        raise SystemExit(f"`{command}` ended with exit code {code}")
    return float(taken)


def _seconds_or_nan(host: str, container: str, command: str, what: str) -> float:
    """`seconds`, or NaN where it failed, which is said: a lever that breaks work is a result, too."""
    try:
        return seconds(host, container, command)
    except SystemExit as error:
        print(f"{what} failed: {str(error)[-300:]}", file=sys.stderr)
        return float("nan")


def measure(places: Sequence[Place], rounds: int, files: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by work and place; one round more is made first and not counted."""
    results: dict[str, dict[str, list[float]]] = {
        work: {place.name: [] for place in places} for work in WORK
    }
    folder = Path(tempfile.mkdtemp(prefix="levers-"))
    try:
        with engine() as (host, _):
            image = rich_image.build(host, folder / "image").image
            containers = []
            for number, place in enumerate(places):
                # A work tree of its own: they write into it.
                project = folder / f"project-{number}"
                if number == 0:
                    project.mkdir()
                    make_project(project, files)
                else:
                    shutil.copytree(folder / "project-0", project, symlinks=True)
                containers.append((place, start(host, image, place, project)))
            for count in range(rounds + 1):
                for work, command in WORK.items():
                    for place, container in containers:
                        taken = _seconds_or_nan(host, container, command, f"{place.name}: {work}")
                        if count:
                            results[work][place.name].append(taken)
                print(f"round {count} of {rounds}", file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def ratios(results: dict[str, list[float]]) -> dict[str, tuple[float, float, float]]:
    """By place: median, lowest and highest ratio to the first place in the same round."""
    base = next(iter(results.values()))
    table = {}
    for name, values in results.items():
        pairs = zip(values, base, strict=True)
        each = [value / first for value, first in pairs if value == value and first == first]
        if each:
            table[name] = (statistics.median(each), min(each), max(each))
    return table


def render(places: Sequence[Place], results: dict[str, dict[str, list[float]]]) -> str:
    """The table of docs/benchmarks.md."""
    lines = [f"| | {' | '.join(WORK)} |", f"|---{'|---' * len(WORK)}|"]
    tables = {work: ratios(values) for work, values in results.items()}
    for place in places:
        cells = []
        for work in WORK:
            if place.name not in tables[work]:
                cells.append("failed")
                continue
            median, low, high = tables[work][place.name]
            if place is places[0]:
                milliseconds = statistics.median(results[work][place.name]) * 1000
                cells.append(f"{milliseconds:.0f} ms")
            else:
                cells.append(f"{median:.1f} ({low:.1f}-{high:.1f})")
        lines.append(f"| {place.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--layouts", action="store_true", help="measure layouts, not levers")
    parser.add_argument("--json", action="store_true", help="print every measured second")
    args = parser.parse_args()
    places = LAYOUTS if args.layouts else LEVERS
    results = measure(places, args.rounds, args.files)
    print(json.dumps(results, indent=1) if args.json else render(places, results))
    return 0


if __name__ == "__main__":
    sys.exit(main())

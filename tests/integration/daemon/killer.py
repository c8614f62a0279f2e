"""Kill processes that generate, at any moment, and look at what each left behind.

A program of its own: `killer.py WORKSPACE COUNT` imports everything once and forks, so that a kill
costs milliseconds. Prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sandboxd.daemon import work
from sandboxd.host.facts import HostFacts
from sandboxd.host.probe import probe
from sandboxd.plan.generate import is_edited

GENERATED = ".devcontainer/devcontainer.json"
EVERY = 10
"""So often somebody has just edited the generated file."""

MEASURED = ("first", "second", "third", "fourth", "fifth")
"""Images for which it is measured how long a generation takes."""

AT_A_RENAME = 4
"""So often the kill comes between a temporary file and its place: a rare moment, on a slow machine too rare."""


def main(workspace: Path, count: int) -> dict[str, object]:
    environ = dict(os.environ)
    facts = probe(environ, trial=True)
    # As long as one takes, and some more. The shortest of several: a machine that stood still says nothing of it.
    longest = min(duration(workspace, image, environ, facts) for image in MEASURED) * 1.2
    problems: list[str] = []
    backups: set[int] = set()
    alive = leftovers = 0
    for number in range(count):
        if number % EVERY == 0:
            if not (workspace / GENERATED).exists():
                # The last kill came between the edit's move and the new file.
                work.generate(str(workspace), environ, facts)
            backups |= take_backups(workspace)
            edit(workspace, number)
        save(workspace, f"n{number}")
        pid = os.fork()
        if pid == 0:
            if number % AT_A_RENAME == 1:
                os.rename = os.replace = kill_oneself
            work.generate(str(workspace), environ, facts)
            os._exit(0)
        time.sleep(random.random() * longest)
        os.kill(pid, signal.SIGKILL)
        alive += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        leftovers += any(workspace.rglob("*.tmp"))
        problems += [f"{number}: {problem}" for problem in broken(workspace)]
    outcome = work.generate(str(workspace), environ, facts)
    problems += [outcome.failure] if outcome.failure else []
    return {
        "killed while it worked": alive,
        "left a temporary file": leftovers,
        "problems": problems,
        "temporary files at the end": [str(path) for path in workspace.rglob("*.tmp")],
        "edits lost": sorted({*range(0, count, EVERY)} - backups - take_backups(workspace)),
        "is last": f'"image": "n{count - 1}"' in (workspace / GENERATED).read_text(),
    }


def duration(workspace: Path, image: str, environ: Mapping[str, str], facts: HostFacts) -> float:
    """Seconds that a generation takes."""
    save(workspace, image)
    begin = time.perf_counter()
    work.generate(str(workspace), environ, facts)
    return time.perf_counter() - begin


def kill_oneself(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def save(workspace: Path, image: str) -> None:
    new = workspace / "new"
    new.write_text(f'profile = "dev"\nimage = "{image}"\n')
    new.rename(workspace / "sandboxd.toml")


def edit(workspace: Path, number: int) -> None:
    generated = workspace / GENERATED
    mine = workspace / "mine"
    mine.write_text(generated.read_text() + f"// mine {number}\n")
    mine.rename(generated)


def broken(workspace: Path) -> list[str]:
    """What is not whole; between two writes the user's edit may be away already."""
    problems = []
    generated = workspace / GENERATED
    if generated.exists():
        text = generated.read_text()
        if is_edited(text) and "// mine " not in text.splitlines()[-1]:
            problems.append(f"half of {generated.name}: {text[-40:]!r}")
    seccomp = workspace / ".devcontainer" / "sandboxd" / "seccomp.json"
    try:
        json.loads(seccomp.read_text())
    except (OSError, ValueError) as error:
        problems.append(f"{seccomp.name}: {error}")
    return problems


def take_backups(workspace: Path) -> set[int]:
    """Which edits lie beside; they are removed, as their owner would: there are thousands.

    One holds several when nothing came far enough between two edits.
    """
    numbers: set[int] = set()
    for path in (workspace / ".devcontainer").glob("devcontainer.json.yours*"):
        numbers.update(map(int, re.findall(r"^// mine (\d+)$", path.read_text(), re.MULTILINE)))
        path.unlink()
    return numbers


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))

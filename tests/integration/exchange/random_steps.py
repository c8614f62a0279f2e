"""Random steps of git on both sides of one work tree, and what has to be true of both after each.

SANDBOXD_FUZZ is the number of steps, SANDBOXD_FUZZ_SEED what they follow from.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from sandboxd.exchange.run import Outcome
from tests.integration.exchange.outside_log import Log, Silent
from tests.unit.exchange.repositories import ENVIRON
from tests.unit.exchange.two_sides import Sides, make

SEED = int(os.environ.get("SANDBOXD_FUZZ_SEED", "1"))
FILES = ("file", "a", "b", "folder/c", "folder/d")
BRANCHES = ("main", "feature/a", "topic", "x/y/z")
ACTIONS = (
    *(
        "commit",
        "commit",
        "commit",
        "switch",
        "switch",
        "edit",
        "amend",
        "branch",
        "rebase",
        "stash",
    ),
    *("pop", "merge", "add", "reset", "gc", "pull", "fetch", "push", "tag", "detach"),
)
ABORTS = (("rebase", "--abort"), ("merge", "--abort"), ("am", "--abort"), ("bisect", "reset"))
OWN = '[ "$OF_THE_TEST" ]'
"""Holds in a hook that a step of the test runs, and in none that an exchange would."""
_MOUNT = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'

Run = Callable[..., tuple[int, str]]


def steps(usual: int) -> int:
    """How many steps to take, unless SANDBOXD_FUZZ says it."""
    return int(os.environ.get("SANDBOXD_FUZZ", usual))


def mounts() -> bool:
    """Whether this test may mount: then inside cannot write the host's objects, as in a sandbox."""
    words = ["unshare", "--mount", "true"]
    return (
        shutil.which("unshare") is not None and subprocess.run(words, check=False).returncode == 0
    )


class Actors:
    """Both sides, and a remote that both fetch from and push to."""

    def __init__(self, base: Path, seed: int, *options: str) -> None:
        folder = make(base, *options)
        remote = base / "remote.git"
        object_format = [word for word in options if word.startswith("--object-format")]
        self.call({}, "git", "init", "-q", "--bare", *object_format, str(remote))
        self.call({}, "git", "-C", str(folder), "remote", "add", "origin", str(remote))
        self.call({}, "git", "-C", str(folder), "push", "-q", "origin", "main")
        self.call({}, "git", "-C", str(folder), "fetch", "-q")
        self.sides = Sides(folder, base)
        self.random = random.Random(seed)
        self.read_only = mounts()
        self.log = Log(self.sides.repository.common)
        self.count = 0
        self.commits: set[str] = set()
        self.trap()

    def trap(self) -> None:
        """Config, hooks and filters inside, and hooks in the work tree that the host's config names."""
        mark = self.sides.folder.parent / "PWNED"
        self.mark = mark
        hooks = self.sides.folder / ".husky"
        hooks.mkdir()
        for folder in (hooks, Path(self.sides.place.inside) / "hooks"):
            folder.mkdir(exist_ok=True)
            for name in ("reference-transaction", "post-index-change", "post-checkout"):
                script = f"#!/bin/sh\n{OWN} || echo {folder}/{name} >>{mark}\n"
                (folder / name).write_text(script)
                (folder / name).chmod(0o755)
        (self.sides.folder / ".gitattributes").write_text("* filter=evil\n")
        for key, value in (
            ("core.hooksPath", ".husky"),
            ("core.fsmonitor", f"{OWN} || echo fsmonitor >>{mark}; false"),
            ("filter.evil.clean", f"{OWN} || echo clean >>{mark}; cat"),
        ):
            self.sides.host("config", key, value)

    def call(self, environ: dict[str, str], *words: str) -> tuple[int, str]:
        """Exit code and output of a command."""
        done = subprocess.run(
            words,
            env={
                **ENVIRON,
                "OF_THE_TEST": "1",
                "GIT_EDITOR": "true",
                "GIT_MERGE_AUTOEDIT": "no",
                **environ,
            },
            cwd="/",
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def host(self, *words: str) -> tuple[int, str]:
        """Git as the user of the host runs it."""
        return self.call({}, "git", "-C", str(self.sides.folder), *words)

    def inside(self, *words: str) -> tuple[int, str]:
        """Git in the sandbox."""
        environ = {"GIT_DIR": self.sides.place.inside, "GIT_WORK_TREE": str(self.sides.folder)}
        command = ["git", "-C", str(self.sides.folder), *words]
        if self.read_only:
            objects = f"{self.sides.repository.common}/objects"
            command = ["unshare", "--mount", "sh", "-c", _MOUNT, "sh", objects, *command]
        return self.call(environ, *command)

    def step(self) -> str:
        """One step of one side; one that git refuses changes nothing."""
        side = self.random.choice(("host", "inside"))
        run: Run = getattr(self, side)
        action = self.random.choice(ACTIONS)
        with self.log.phase(side):
            getattr(self, f"do_{action}")(run)
            if self.random.random() < 0.8:
                self.abort(run)
            self.note(run)
        return f"{side} {action}"

    def exchange(self) -> Outcome:
        """Exchange once, and expect no problem."""
        with self.log.phase("exchange"):
            return self.sides.exchange()

    def note(self, run: Run) -> None:
        """Remember the commits of a side's branches: none of them may be lost."""
        _, text = run("for-each-ref", "--format=%(objectname)", "refs/heads")
        self.commits |= set(text.split())

    def abort(self, run: Run) -> None:
        for words in ABORTS:
            run(*words)

    def write(self, name: str, text: str) -> None:
        """Write a file of the work tree."""
        self.sides.write(name, text)

    def do_edit(self, _run: Run) -> None:
        self.count += 1
        self.write(self.random.choice(FILES), f"{self.count}\n")

    def do_add(self, run: Run) -> None:
        self.do_edit(run)
        run("add", "-A")

    def do_commit(self, run: Run) -> None:
        self.do_add(run)
        self.count += 1
        run("commit", "-qm", f"commit {self.count}")

    def do_amend(self, run: Run) -> None:
        self.count += 1
        run("commit", "-q", "--amend", "-m", f"amended {self.count}")

    def do_branch(self, run: Run) -> None:
        run("branch", *self.random.choice((("-f",), ())), self.random.choice(BRANCHES))

    def do_tag(self, run: Run) -> None:
        self.count += 1
        run("tag", f"t{self.count}")

    def do_switch(self, run: Run) -> None:
        run("switch", "-q", self.random.choice(BRANCHES))

    def do_detach(self, run: Run) -> None:
        run("switch", "-q", "--detach", self.random.choice(BRANCHES))

    def do_rebase(self, run: Run) -> None:
        run("rebase", "-q", self.random.choice(BRANCHES))

    def do_merge(self, run: Run) -> None:
        run("merge", "-q", "--no-edit", self.random.choice(BRANCHES))

    def do_stash(self, run: Run) -> None:
        self.do_edit(run)
        run("stash", "-q")

    def do_pop(self, run: Run) -> None:
        run("stash", "pop", "-q")

    def do_reset(self, run: Run) -> None:
        mode = self.random.choice(("--soft", "--mixed", "--hard"))
        run("reset", "-q", mode, self.random.choice(("HEAD", "HEAD~1", *BRANCHES)))

    def do_gc(self, run: Run) -> None:
        run("gc", "-q", "--prune=now" if self.read_only else "--auto")

    def do_pull(self, run: Run) -> None:
        run("pull", "-q", self.random.choice(("--rebase", "--no-rebase")), "origin", "main")

    def do_fetch(self, run: Run) -> None:
        run("fetch", "-q")

    def do_push(self, run: Run) -> None:
        run("push", "-q", self.random.choice(("--force", "-q")), "origin", "HEAD:main")

    def rest(self) -> Outcome:
        """Exchange until nothing passes any more."""
        for _ in range(6):
            outcome = self.exchange()
            if not outcome.moved:
                return outcome
        raise AssertionError(outcome)

    def settle(self) -> None:
        """End what is under way, and let the host take what waits, as its user would."""
        for run in (self.host, self.inside):
            self.abort(run)
            run("reset", "-q")
        self.rest()
        self.host("add", "-A")
        self.host("commit", "-qm", "all of the work tree")
        outcome = self.rest()
        for waiting in outcome.waiting:
            if waiting.ref and waiting.name.startswith("refs/heads/"):
                branch = waiting.name.removeprefix("refs/heads/")
                self.host("switch", "-q", "-f", branch)
                self.host("merge", "-q", "-s", "ours", "--no-edit", waiting.ref)
        if self.host("symbolic-ref", "-q", "HEAD") != self.inside("symbolic-ref", "-q", "HEAD"):
            # The work tree is one; a switch inside says which branch it is of.
            _, head = self.host("symbolic-ref", "-q", "HEAD")
            if head.strip():
                self.inside("symbolic-ref", "HEAD", head.strip())
            else:
                self.inside(
                    "update-ref", "--no-deref", "HEAD", self.host("rev-parse", "HEAD")[1].strip()
                )
            self.inside("reset", "-q")
        self.rest()


def whole(actors: Actors) -> None:
    """Both sides pass a check of all objects, and no hook, filter or program ran on the host."""
    for run in (actors.host, actors.inside):
        code, text = run("fsck", "--connectivity-only", "--no-dangling")
        assert code == 0, text
    assert not actors.mark.exists(), actors.mark.read_text()


OURS = re.compile(
    r"(objects/([0-9a-f]{2}|pack)(/.*)?|(logs/)?refs(/.*)?|packed-refs(\.lock|\.new)?|logs|logs/HEAD"
    r"|(index|HEAD)(\.lock(\.sandboxd-[0-9a-f]{12})?)?|reftable(/.*)?|\.)\Z"
)
"""What an exchange may write below the host's `.git`."""


def of_ours_alone(log: Log, read_only: bool) -> None:
    """Nothing below the host's `.git` was written from inside, and by an exchange nothing but objects, refs, HEAD and index."""
    assert log.of("host") and log.of("inside") and log.of("exchange")
    assert any(phase["events"] for phase in log.of("exchange"))
    for phase in log.of("inside"):
        # Where the test may not mount, git inside renews the time of objects that it would write.
        written = [e for e in phase["events"] if read_only or not e[0].startswith("objects/")]
        changed = [n for n in phase["other"] if read_only or not n.startswith("objects/")]
        assert (written, changed) == ([], []), phase
    for phase in log.of("exchange"):
        names = {event[0] for event in phase["events"]} | {*phase["other"]}
        assert not [name for name in names if not OURS.match(name)], phase


def reachable(run: Run) -> set[str]:
    return set(run("rev-list", "--all", "--reflog")[1].split())


def play(actors: Actors, count: int) -> None:
    """Take `count` steps, and check both sides now and then and at the end."""
    common = Path(actors.log.folder)
    config = (common / "config").read_bytes()
    actors.exchange()
    brought: set[str] = set()
    done: list[str] = []
    for number in range(count):
        done.append(actors.step())
        if actors.random.random() < 0.7:
            outcome = actors.exchange()
            unsound = [w for w in outcome.waiting if w.oid and not w.ref]
            assert not unsound, (done[-20:], outcome)
            brought |= actors.commits
        if number % 50 == 49:
            whole(actors)
            missing = brought - reachable(actors.host)
            assert not missing, (done[-60:], missing)
    of_ours_alone(actors.log, actors.read_only)
    actors.log.close()
    actors.log = Silent()
    actors.settle()
    whole(actors)
    brought |= actors.commits
    lost = brought - reachable(actors.host)
    assert lost <= reachable(actors.inside), (done, lost)
    for words in (
        ("rev-parse", "HEAD"),
        ("symbolic-ref", "-q", "HEAD"),
        ("diff", "--name-status", "HEAD"),
    ):
        assert actors.host(*words) == actors.inside(*words), (words, done[-20:], actors.rest())
    heads = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads")
    ours = dict(line.split() for line in actors.host(*heads)[1].splitlines())
    theirs = dict(line.split() for line in actors.inside(*heads)[1].splitlines())
    assert ours == theirs
    assert (common / "config").read_bytes() == config
    assert not [p for p in (common / "hooks").iterdir() if p.suffix != ".sample"]

"""`layout = "synced"`: a day in a copy that is kept the same, by commands as a user types them, under runc and gVisor."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from sandboxd.plan.mounts import target_folder
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = pytest.mark.engine

TOML = """\
image = "{image}"
runtime = "{runtime}"

[workspace]
layout = "synced"
sync = [".env"]
"""

KILL_PYTHON = "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline) in python3*) kill -9 ${p#/proc/}; esac; done"


class Day:
    """A project of user 1000 with a repository, and its user, whose daemon runs."""

    def __init__(self, world: World, folder: Path, image: str, runtime: str) -> None:
        self.world, self.folder, self.runtime = world, folder, runtime
        folder.mkdir()
        (folder / "sandboxd.toml").write_text(TOML.format(image=image, runtime=runtime))
        (folder / ".gitignore").write_text("node_modules\n*.log\n.env\n")
        (folder / ".env").write_text("KEY=1\n")
        (folder / ".envrc").write_text("export A=1\n")
        (folder / "main.py").write_text("print('hello')\n")
        (folder / "src").mkdir()
        (folder / "src/run.sh").write_text("#!/bin/sh\necho it runs\n")
        (folder / "src/run.sh").chmod(0o755)
        (folder / "node_modules").mkdir()
        (folder / "node_modules/of-the-host").write_text("x\n")
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "A User")
        self.git("config", "user.email", "user@example.org")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "one")
        sandboxes.give_to_user(folder)
        if runtime == "runc":
            self.sandboxd("trust", "add", "--yes")

    def sandboxd(self, *words: str, fails: bool = False) -> str:
        result = self.world.run(*words, cwd=self.folder)
        assert (result.returncode != 0) is fails, (words, result.stdout, result.stderr)
        return result.stdout + (result.stderr if fails or words[0] != "exec" else "")

    def inside(self, script: str) -> str:
        return self.sandboxd("exec", "-n", "--", "sh", "-c", script)

    def git(self, *words: str) -> str:
        command = ["git", "-c", "safe.directory=*", "-C", str(self.folder), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def docker(self, *words: str) -> str:
        command = ["docker", "-H", self.world.environ["DOCKER_HOST"], *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def container(self) -> str:
        """The id of the container, which runs."""
        label = f"label=dev.sandboxd.project={self.folder}"
        return self.docker("ps", "-q", "--no-trunc", "--filter", label).strip()

    def target(self) -> str:
        """The folder inside."""
        return target_folder(str(self.folder))

    def give(self) -> None:
        sandboxes.give_to_user(self.folder)


@pytest.fixture
def day(world: World, tmp_path: Path, rich: Rich, runtime: str) -> Iterator[Day]:
    sandboxes.open_to_user(tmp_path)
    day = Day(world, tmp_path / "my project", rich.image, runtime)
    world.start()
    yield day
    world.run("down", "--discard", cwd=day.folder)


def test_a_day(day: Day) -> None:
    folder = day.folder
    day.sandboxd("up")
    # Everything of the project is inside, but for what git ignores and nobody asked for.
    assert day.inside("cat .env main.py .envrc; src/run.sh; ls node_modules 2>&1 || true") == (
        "KEY=1\nprint('hello')\nexport A=1\nit runs\nls: cannot access 'node_modules': No such file or directory\n"
    )
    assert day.inside("git status --short; git log --format=%s") == "one\n"

    # A save on either side is on the other before the next command, and soon without one.
    (folder / "main.py").write_text("print('by the host')\n")
    assert day.inside("cat main.py") == "print('by the host')\n"
    day.inside(
        "echo inside >src/new.txt; mkdir -p node_modules; echo big >node_modules/dep; echo x >a.log"
    )
    assert (folder / "src/new.txt").read_text() == "inside\n"
    assert (folder / "src/new.txt").stat().st_uid == 1000
    assert os.listdir(folder / "node_modules") == ["of-the-host"]
    assert not (folder / "a.log").exists()
    job = day.world.popen("exec", "-n", "--", "sh", "-c", "echo begun >a; sleep 60", cwd=folder)
    eventually(lambda: (folder / "a").exists())
    (folder / "b").write_text("from here\n")
    day.give()
    eventually(lambda: day.inside("cat b 2>/dev/null || true") == "from here\n")
    job.kill()

    # What acts on this machine comes in and never out.
    day.inside(
        "echo 'touch /tmp/x' >>.envrc; mkdir -p .vscode sub/.git; echo {} >.vscode/tasks.json"
    )
    assert (folder / ".envrc").read_text() == "export A=1\n"
    assert not (folder / ".vscode").exists()
    assert not (folder / "sub/.git").exists()
    status = day.sandboxd("status")
    assert "`.envrc`" in status
    assert "a copy that is kept the same" in day.sandboxd("status", "--json")

    # A commit inside is a commit here, with the files that belong to it.
    day.inside(
        "rm -rf sub .vscode; git checkout -q -- .envrc; git add src/new.txt; git commit -q -m two"
    )
    eventually(lambda: day.git("log", "-1", "--format=%s") == "two\n")
    # The index here follows the branch.
    eventually(lambda: "new.txt" not in day.git("status", "--short"))

    # The end takes nothing that is not said, and the next start begins where this one ended.
    day.inside("echo last >>main.py; echo changed >>.envrc")
    said = day.sandboxd("down")
    assert (folder / "main.py").read_text() == "print('by the host')\nlast\n"
    (folder / "main.py").write_text("while it was down\n")
    day.give()
    day.sandboxd("up")
    assert day.inside("cat main.py src/new.txt; git log -1 --format=%s") == (
        "while it was down\ninside\ntwo\n"
    )
    kept = day.inside("cat node_modules/dep 2>/dev/null || echo gone")
    assert kept == ("gone\n" if "node_modules" in said else "big\n")
    assert ("`.envrc`" in said) is ("node_modules" in said)


def test_what_is_killed_goes_on(day: Day) -> None:
    folder = day.folder
    day.sandboxd("up")
    container = day.container()
    # The daemon: both sides go on without it, and the next command finds the same on both.
    pid = day.world.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    day.docker("exec", container, "sh", "-c", "echo alone >inside.txt; rm src/run.sh")
    (folder / "host.txt").write_text("alone\n")
    day.give()
    assert day.inside("cat host.txt; ls src") == "alone\n"
    assert (folder / "inside.txt").read_text() == "alone\n"
    assert not (folder / "src/run.sh").exists()
    day.world.start()
    # The program inside, again and again: whoever does it has a copy that lags behind, and nothing else.
    day.docker("exec", container, "sh", "-c", f"{KILL_PYTHON}; echo after >later.txt")
    eventually(lambda: (folder / "later.txt").exists())
    # The container, as a machine that was switched off leaves it: what was on both sides is there again.
    day.docker("kill", container)
    (folder / "main.py").write_text("while it was off\n")
    day.give()
    day.sandboxd("up")
    assert day.inside("cat main.py later.txt inside.txt") == "while it was off\nafter\nalone\n"
    assert not [name for name in os.listdir(folder) if ".inside-" in name]


def test_many_removals_wait_for_an_answer(day: Day) -> None:
    folder = day.folder
    for number in range(130):
        (folder / f"file{number}").write_text(f"{number}\n")
    day.give()
    day.sandboxd("up")
    # A session of the daemon would see a slow removal in several parts.
    day.sandboxd("daemon", "stop")
    day.inside("echo edited >main.py")
    day.inside("rm file*; echo more >>main.py")
    assert len(list(folder.glob("file*"))) == 130
    shown = day.sandboxd("review", fails=True)
    assert "`sandboxd review --apply --deletions 130`" in shown
    assert "130" in day.sandboxd("status")
    if day.runtime == "gvisor":
        # In memory: an end would take the edit that waits behind the question.
        assert "goes on running" in day.sandboxd("down", fails=True)
    assert "not 7" in day.sandboxd("review", "--apply", "--deletions", "7", fails=True)
    day.sandboxd("review", "--restore")
    assert day.inside("ls file* | wc -l; cat main.py") == "130\nedited\nmore\n"
    assert (folder / "main.py").read_text() == "edited\nmore\n"
    day.inside("rm file*")
    day.sandboxd("review", "--apply", "--deletions", "130")
    assert not list(folder.glob("file*"))
    # All of it, and by mistake.
    day.inside("rm -rf * .env .envrc .gitignore 2>/dev/null; true")
    assert (folder / "main.py").read_text() == "edited\nmore\n"
    day.sandboxd("review", "--restore")
    assert day.inside("cat main.py .env") == "edited\nmore\nKEY=1\n"


def test_of_a_conflict_both_are_kept(day: Day) -> None:
    folder = day.folder
    day.sandboxd("up")
    day.sandboxd("daemon", "stop")
    day.docker("exec", day.container(), "sh", "-c", "echo of inside >main.py")
    (folder / "main.py").write_text("of the host\n")
    day.give()
    assert day.inside("cat main.py; cat main.py.inside-*") == "of the host\nof inside\n"
    (other,) = folder.glob("main.py.inside-*")
    assert other.read_text() == "of inside\n"
    assert other.name in day.sandboxd("review")


def test_a_commit_with_what_acts_here_waits(day: Day) -> None:
    folder = day.folder
    day.sandboxd("up")
    day.inside("echo 'touch /tmp/x' >>.envrc; echo y >y; git add -A; git commit -q -m acts")
    eventually(lambda: "waits" in day.sandboxd("status"))
    assert day.git("log", "-1", "--format=%s") == "one\n"
    assert (folder / "y").read_text() == "y\n"
    assert (folder / ".envrc").read_text() == "export A=1\n"


def test_what_a_setting_of_git_names_never_comes_out(day: Day) -> None:
    """Neither as a file nor by a commit, also where the setting is made while the sandbox runs."""
    day.sandboxd("up")
    day.git("config", "core.hooksPath", "tools/hooks")
    day.give()
    day.inside("mkdir -p tools/hooks; echo 'touch /tmp/x' >tools/hooks/pre-commit; echo y >tools/y")
    assert (day.folder / "tools/y").read_text() == "y\n"
    assert "`tools/hooks" in day.sandboxd("status")
    day.inside("git add -A; git commit -q -m hooks")
    eventually(lambda: "waits" in day.sandboxd("status"))
    assert day.git("log", "-1", "--format=%s") == "one\n"
    assert not list(day.folder.rglob("pre-commit"))


def test_what_is_written_until_the_end_is_not_lost(day: Day) -> None:
    """Each number is in the file before it is said: at the end the host has the last one that was said, or a later one."""
    day.sandboxd("up")
    script = "i=0; while :; do i=$((i+1)); echo $i >>n; echo $i; done"
    words = ["docker", "-H", day.world.environ["DOCKER_HOST"], "exec", "-w", day.target()]
    command = [*words, day.container(), "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines: list[str] = []
        reading = threading.Thread(target=lambda: lines.extend(cast("IO[str]", writer.stdout)))
        reading.start()
        eventually(lambda: len(lines) > 50)
        day.sandboxd("down")
        writer.wait()
        reading.join()
    if day.runtime == "runc":
        # In its volume: it was written until the end.
        day.sandboxd("up")
    written = (day.folder / "n").read_text().split()
    assert int(written[-1]) >= int(lines[-1])
    assert written == [str(number) for number in range(1, len(written) + 1)]
    assert not list(day.folder.glob("n.inside-*"))


def test_an_end_that_is_refused_leaves_everything_running(day: Day) -> None:
    if day.runtime == "runc":
        # Its copy outlives the container, so no end is refused.
        return
    for number in range(30):
        (day.folder / f"file{number}").write_text(f"{number}\n")
    day.give()
    day.sandboxd("up")
    day.sandboxd("daemon", "stop")
    writing = "while :; do date +%N >t; done"
    job = day.world.popen("exec", "-n", "--", "sh", "-c", writing, cwd=day.folder)

    def time() -> str:
        read = "cat t 2>/dev/null || true"
        return day.docker("exec", "-w", day.target(), day.container(), "sh", "-c", read)

    eventually(lambda: time() != "")
    day.docker("exec", "-w", day.target(), day.container(), "sh", "-c", "rm file*")
    assert "goes on running" in day.sandboxd("down", fails=True)
    before = time()
    eventually(lambda: time() not in ("", before))
    job.kill()


def test_a_file_that_was_removed_inside_is_had_back(day: Day) -> None:
    day.sandboxd("up")
    day.inside("rm main.py; echo changed >src/run.sh")
    assert not (day.folder / "main.py").exists()
    listed = day.sandboxd("review", "--kept")
    assert "main.py" in listed and "src/run.sh" in listed
    day.sandboxd("review", "--restore", "main.py")
    assert (day.folder / "main.py").read_text() == "print('hello')\n"
    said = day.sandboxd("review", "--restore", "src/run.sh")
    (old,) = (day.folder / "src").glob("run.sh.kept-*")
    assert old.name in said and old.read_text().endswith("echo it runs\n")
    assert day.inside("cat main.py") == "print('hello')\n"
    assert "no version of `x` is kept" in day.sandboxd("review", "--restore", "x", fails=True)
    day.sandboxd("down")
    assert "main.py" in day.sandboxd("review", "--kept")
    assert "kept files" in day.sandboxd("prune")

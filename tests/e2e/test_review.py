"""Work in a private copy, and its way out: seen, brought, kept before the sandbox ends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from sandboxd.review import collect, copies, host_times
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

WORK = r"""
echo "print(2)" >> main.py
rm gone.txt
mkdir -p .vscode tool && echo {} > .vscode/tasks.json && echo 'echo hi' > tool/run.sh && chmod +x tool/run.sh
ln -s /etc/passwd link
printf 'red \033[31m\n' > colour.txt
echo evil > .git/hooks/pre-commit
git config core.fsmonitor /w/evil
git commit -qam two && echo late > late.txt
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, rich: Rich, runtime: str) -> Path:
    """A repository whose config starts a program with every `git status` on the host."""
    root = tmp_path / "w"
    root.mkdir()
    (root / "sandboxd.toml").write_text(
        f'image = "{rich.image}"\nruntime = "{runtime}"\nprofile = "agent"\n'
    )
    (root / "main.py").write_text("print(1)\n")
    (root / "gone.txt").write_text("x\n")
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    git(root, "config", "user.name", "a")
    git(root, "config", "user.email", "a@b")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    evil.chmod(0o755)
    for key in ("core.fsmonitor", "core.alternateRefsCommand", "core.sshCommand"):
        git(root, "config", key, str(evil))
    for path in (root, *root.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    return root


@pytest.fixture
def streams(own_home: Path) -> Path:
    return Path(collect.folder())


def down(engine: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = sandboxes.run(engine, folder, "down", *more)
    return done


def assert_times_are_noted(api: Engine, folder: Path) -> None:
    """Those of the host's files before the copy, by which edits since are known whatever the clock says."""
    (container,) = api.containers(f"{PROJECT}={folder}")
    copy = copies.of_container(api, api.inspect(container.id))
    times = host_times.recall(str(folder), copy)
    assert times is not None
    assert times["main.py"].changed == (folder / "main.py").stat().st_ctime_ns


def test_work_is_seen_then_brought_and_nothing_of_it_acts_on_the_host(
    engine: str, api: Engine, repository: Path, streams: Path
) -> None:
    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, repository, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    control = (repository / ".git/config").read_bytes()
    sandboxd("up", "--allow-runc")
    try:
        assert_times_are_noted(api, repository)
        before = sandboxes.tree(repository)
        sandboxd("exec", "-n", "sh", "-c", WORK)
        assert sandboxes.tree(repository) == before
        shown = sandboxd("review", "--diff")
        head, *first = [line for line in shown.splitlines()[:9] if line]
        assert head == "5 added, 1 changed, 1 deleted, 1 to watch, 1 not brought"
        assert [line.split("  ")[0] for line in first] == [
            "A .vscode/tasks.json",
            "A colour.txt",
            "D gone.txt",
            "A late.txt",
            "A link",
            "M main.py",
            "A tool/run.sh",
        ]
        assert "WATCH: editor settings" in first[0] and "made executable" in first[6]
        assert "NOT BROUGHT: a symbolic link out of the workspace" in first[4]
        assert "\x1b" not in shown and "+print(2)" in shown
        assert sandboxes.tree(repository) == before and not list(streams.glob("*"))

        refs = sorted(sandboxd("review", "--stat", "--save").splitlines()[-2:])
        assert [ref.rpartition("/")[2] for ref in refs] == ["main", "worktree"]
        assert git(repository, "log", "-1", "--format=%s", refs[0]) == "two"
        assert "late.txt" in git(repository, "diff", "--name-only", refs[0], refs[1])
        assert git(repository, "rev-parse", "HEAD") != git(repository, "rev-parse", refs[0])
        git(repository, "fsck")

        # The same work again is no new commit.
        assert "refs/" not in sandboxd("review", "--stat", "--save")

        looked = json.loads(sandboxd("review", "--json"))
        rows = {row["path"]: row for row in looked["changes"]}
        assert (rows["main.py"]["old"], rows["main.py"]["by_itself"]) == ("print(1)\n", True)
        assert rows["link"]["blocked"] and rows[".vscode/tasks.json"]["control"]
        sandboxd("exec", "-n", "sh", "-c", "echo more >> late.txt")
        apply = ("review", "--apply", "--yes", "--expect", looked["digest"])
        refused = sandboxes.run(engine, repository, *apply)
        assert refused.returncode == 2 and "not those that were looked at" in refused.stderr
        assert sandboxes.tree(repository).get("late.txt") == before.get("late.txt")

        sandboxd("review", "--apply", "--yes", "--only", "colour.txt")
        assert (repository / "colour.txt").exists() and not (repository / "late.txt").exists()
        digest = json.loads(sandboxd("review", "--json"))["digest"]
        sandboxd("review", "--apply", "--yes", "--expect", digest)
        assert (repository / "main.py").read_text() == "print(1)\nprint(2)\n"
        assert os.access(repository / "tool/run.sh", os.X_OK)
        assert (repository / "gone.txt").exists()
        sandboxd("review", "--apply", "--yes", "--include", "gone.txt")
        assert not (repository / "gone.txt").exists()
        for path in (".vscode", "link", ".git/hooks/pre-commit"):
            assert not os.path.lexists(repository / path)
        sandboxd("review", "--apply", "--yes", "--include", ".vscode/tasks.json")
        assert (repository / ".vscode/tasks.json").stat().st_uid == 1000
        assert (repository / ".git/config").read_bytes() == control
    finally:
        assert down(engine, repository).returncode == 0
    assert not (repository.parent / "ran").exists()


def test_work_is_kept_before_its_sandbox_ends_or_it_does_not_end(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str, streams: Path
) -> None:
    """Without git and Python inside, of a copy in memory: one that lasts needs no such care."""
    plain = sandboxes.make_project(tmp_path / "w", busybox_image, "runc", "untrusted")

    def sandboxd(*words: str, code: int = 0) -> str:
        done = sandboxes.run(engine, plain, *words)
        assert done.returncode == code, done.stderr
        return str(done.stdout + done.stderr)

    def inside(script: str) -> None:
        sandboxd("exec", "-n", "sh", "-c", script)

    try:
        sandboxd("up", "--allow-runc")
        inside("echo work >> main.py; dd if=/dev/zero of=large bs=1M count=17 2>/dev/null")
        output = sandboxd("down", code=4)
        assert "`large` is too large" in output and "down --discard" in output
        assert len(api.containers(f"{PROJECT}={plain}")) == 1
        inside("rm large")
        with (plain / "sandboxd.toml").open("a") as file:
            file.write('[environment]\nA = "1"\n')
        assert "1 change is kept" in sandboxd("up", "--allow-runc")
        assert len(list(streams.iterdir())) == 1 and streams.stat().st_mode & 0o777 == 0o700
        assert "1 changes" not in sandboxd("down")

        output = sandboxd("review", "--apply", "--yes")
        assert "of a sandbox that ended" in output and "+work" in output
        assert (plain / "main.py").read_text() == "print('hello')\nwork\n"

    finally:
        assert down(engine, plain, "--discard").returncode == 0


@pytest.mark.gvisor
def test_what_tools_fill_is_in_memory_and_not_on_the_host(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, "gvisor")
    (folder / "package.json").write_text("{}")
    (folder / "Cargo.toml").write_text("")
    (folder / "target").mkdir()
    (folder / "target/built").write_text("x")
    assert "`node_modules`" in sandboxes.run(engine, folder, "up").stderr
    try:
        script = (
            "cp /bin/busybox node_modules/true && node_modules/true && cat target/built; "
            "mount | grep -c '/workspaces/w/.* tmpfs'; echo $GIT_CONFIG_KEY_0"
        )
        done = sandboxes.run(engine, folder, "exec", "-n", "sh", "-c", script)
        assert done.stdout.split() == ["x1", "core.checkStat"]
        assert list((folder / "node_modules").iterdir()) == []
        nothing = sandboxes.run(engine, folder, "review")
        assert nothing.returncode == 0 and 'layout = "clone"' in nothing.stderr
    finally:
        assert down(engine, folder).returncode == 0
    assert not (folder / "node_modules").exists()
    assert (folder / "target/built").exists()

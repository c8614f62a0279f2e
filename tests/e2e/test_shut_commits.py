"""A commit needs no file: what is shut inside is committed there all the same, and the host's git writes and runs none of it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.errors import EXIT_ENVIRONMENT
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Run = Callable[..., subprocess.CompletedProcess[str]]

HOOK = ".husky/post-checkout"
# Each makes a commit with another hook. The first is on the branch that both sides have checked out.
BY_THE_INDEX = f"""
set -e
if (echo x >> {HOOK}) 2>/dev/null; then exit 9; fi
hook=$(printf '#!/bin/sh\\ntouch CANARY\\n' | git hash-object -w --stdin)
git update-index --cacheinfo 100755,$hook,{HOOK}
git commit -qm 'fix a typo'
"""
WITHOUT_INDEX_AND_CHECKOUT = f"""
set -e
export GIT_INDEX_FILE=/tmp/other-index
hook=$(printf '#!/bin/sh\\ntouch CANARY # again\\n' | git hash-object -w --stdin)
git read-tree main~1
git update-index --cacheinfo 100755,$hook,{HOOK}
git update-ref refs/heads/topic $(git commit-tree $(git write-tree) -p main~1 -m 'more tests')
"""


def git(folder: Path, *words: str) -> str:
    """The output of the user's git on the host, with the hooks that the repository has."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    setting = ["-c", "safe.directory=*", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(
        ["git", *setting, "-C", str(folder), *words],
        capture_output=True, text=True, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def workspace(own_home: Path, tmp_path: Path, rich: Rich) -> Path:
    """A repository whose own hooks git runs, of which one does nothing yet."""
    (own_home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    folder = tmp_path / "shop"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "runc"\n')
    (folder / "main.py").write_text("print(1)\n")
    hook = folder / HOOK
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\n:\n")
    hook.chmod(0o755)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "branch", "topic")
    git(folder, "config", "core.hooksPath", ".husky")
    sandboxes.give_to_user(folder)
    sandboxes.grant(folder)
    return folder


@pytest.fixture
def sandboxd(engine: str, workspace: Path) -> Iterator[Run]:
    """`sandboxd` in the workspace, whose sandbox runs."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return sandboxes.run(engine, workspace, *words)

    try:
        up = run("up")
        assert up.returncode == 0, up.stderr
        yield run
    finally:
        run("down", "--discard")


def words_of(done: subprocess.CompletedProcess[str]) -> str:
    """All that a command printed, in one line: a screen breaks its lines."""
    return " ".join((done.stdout + done.stderr).split())


def use(workspace: Path) -> None:
    """Acts of every day that have git write files of the work tree, and run its hooks."""
    (workspace / "main.py").write_text("print(2)\n")
    for words in ("checkout -q .", "reset -q --hard", "switch -q topic", "switch -q main"):
        git(workspace, *words.split())


def test_a_hook_that_inside_committed_is_written_and_run_by_nobody_until_it_is_taken(
    sandboxd: Run, workspace: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "PWNED"
    before = git(workspace, "rev-parse", "main", "topic")
    says = []
    for attack in (BY_THE_INDEX, WITHOUT_INDEX_AND_CHECKOUT):
        done = sandboxd("exec", "-n", "sh", "-c", attack.replace("CANARY", str(canary)))
        assert done.returncode == 0, done.stderr
        says.append(words_of(done))

    # No branch of the host moved, and each command that could have moved one says so.
    assert git(workspace, "rev-parse", "main", "topic") == before
    for name, text in zip(("main", "topic"), says, strict=True):
        waits = f"`{name}` of the sandbox waits, as `refs/sandboxd/_/{name}`: it changes files"
        assert waits in text and f": `{HOOK}`" in text, text

    # What is committed after the look was shown to nobody.
    tip = git(workspace, "rev-parse", "refs/sandboxd/_/main").strip()
    again = BY_THE_INDEX.replace("CANARY", f"{canary} # worse")
    assert sandboxd("exec", "-n", "sh", "-c", again).returncode == 0
    moved = sandboxd("review", "--take", "main", "--expect", tip, "--yes")
    assert (moved.returncode, moved.stdout) == (EXIT_ENVIRONMENT, ""), moved.stderr
    now = git(workspace, "rev-parse", "refs/sandboxd/_/main").strip()
    assert now != tip
    assert f"it was `{tip}` when it was looked at, and is `{now}` now" in words_of(moved)
    assert git(workspace, "rev-parse", "main", "topic") == before

    first = "`refs/sandboxd/_/main` waits: `sandboxd review --take main` takes it"
    assert first in words_of(sandboxd("status"))
    full = words_of(sandboxd("status", "--long"))
    for name in ("main", "topic"):
        line = f"`refs/sandboxd/_/{name}` waits: `sandboxd review --take {name}` takes it (it changes files"
        assert line in full, full
    use(workspace)
    assert not canary.exists()

    # It is not taken before its files were shown, with the command that shows what is in them.
    shown = sandboxd("review", "--take", "main")
    assert (shown.returncode, shown.stdout) == (EXIT_ENVIRONMENT, ""), shown.stderr
    assert f"tools on the host would act on them: `{HOOK}`" in words_of(shown)
    tip = git(workspace, "rev-parse", "refs/sandboxd/_/main").strip()
    assert f"`sandboxd review --take main --expect {tip} --yes` takes it" in words_of(shown)
    _, _, command = words_of(shown).partition("look at it: `")
    assert f"+touch {canary}" in git(workspace, *shlex.split(command.partition("`")[0])[1:])
    assert git(workspace, "rev-parse", "main", "topic") == before
    use(workspace)
    assert not canary.exists()

    taken = sandboxd("review", "--take", "main", "--expect", tip, "--yes")
    assert taken.returncode == 0, taken.stderr
    assert "main: moved forward, from refs/sandboxd/_/main" in taken.stdout
    assert f"`{HOOK}`" in words_of(taken)
    assert git(workspace, "log", "-1", "--format=%s", "main") == "fix a typo\n"
    # The other one was not asked for.
    assert git(workspace, "rev-parse", "topic") == before.split("\n")[1] + "\n"
    # The attack itself: else nothing above could fail.
    use(workspace)
    assert canary.exists()

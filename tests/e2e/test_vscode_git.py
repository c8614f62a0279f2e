"""VS Code's own git on a folder whose sandbox runs git and an attack at the same time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from tests.e2e import sandboxes
from tests.e2e.code_server import CodeServer, code, shots
from tests.e2e.rich_image import Rich
from tests.e2e.watched import attack, git, state
from tests.patience import eventually

__all__ = ["code", "shots"]

pytestmark = [pytest.mark.node, pytest.mark.engine]


@pytest.fixture
def with_git(code: CodeServer) -> Iterator[CodeServer]:
    """VS Code that uses git, as it does by itself."""
    before = code.settings.read_text()
    code.settings.write_text(json.dumps({**json.loads(before), "git.enabled": True}))
    identity = "[user]\n\tname = a\n\temail = a@example.org\n"
    (code.base / "home/.gitconfig").write_text(f"[safe]\n\tdirectory = *\n{identity}")
    yield code
    code.settings.write_text(before)


@pytest.fixture
def repository(with_git: CodeServer, tmp_path: Path, rich: Rich, runtime: str) -> Iterator[Path]:
    """A repository with a branch that follows a remote, whose sandbox runs."""
    project = tmp_path / "weather"
    (project / ".vscode").mkdir(parents=True)
    (project / "sandboxd.toml").write_text(f'image = "{rich.image}"\nruntime = "{runtime}"\n')
    (project / "main.py").write_text("print(1)\n")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "one")
    git(tmp_path, "clone", "-q", "--bare", str(project), "origin.git")
    git(project, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(project, "fetch", "-q")
    git(project, "branch", "-q", "--set-upstream-to=origin/main")
    git(project, "checkout", "-q", "-b", "feature")
    sandboxes.give_to_user(project)
    with_git.run("trust", "add", "--yes", folder=project)
    with_git.run("up", folder=project)
    try:
        yield project
    finally:
        with_git.run("down", "--discard", folder=project)


def test_it_runs_nothing_from_inside_and_halts_nothing(
    with_git: CodeServer, api: Engine, repository: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    config = f"printf '[core]\\n\\tfsmonitor = \"touch {ran}; false\"\\n\\thooksPath = hooks\\n'"
    hook = f"printf '#!/bin/sh\\ntouch {ran}\\n' > .git/hooks/$h; chmod 755 .git/hooks/$h"
    task = '{"version":"2.0.0","tasks":[{"label":"x","command":"touch RAN","runOptions":{"runOn":"folderOpen"}}]}'
    for script in (
        f"{config} >> .git/config; for h in post-index-change post-checkout; do {hook}; done",
        f"echo '{task.replace('RAN', str(ran))}' > .vscode/tasks.json; echo x > .vscode/settings.json",
        "git -c core.fsmonitor=false status; git -c core.hooksPath=/ commit -q --allow-empty -m x",
    ):
        attack(api, repository, f"while sleep 0.3; do {script}; done >/dev/null 2>&1")
    before = (repository / ".git/config").read_text()
    (repository / "main.py").write_text("print(2)\n")
    played = with_git.play("git", repository, changed="main.py")
    assert "main.py" in played["row"]
    assert "main.py" in git(repository, "diff", "--cached", "--name-only")
    assert not ran.exists() and state(api, repository) == "running"
    assert "fsmonitor" not in (repository / ".git/config").read_text()
    # By opening the folder it writes settings, which replaces the file.
    eventually(lambda: (repository / ".git/config").read_text() != before)
    # The proof that git would run what is planted there.
    git(repository, "config", "core.fsmonitor", f"touch {ran}; false")
    git(repository, "status")
    assert ran.exists()

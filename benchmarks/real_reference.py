"""The same life by the reference client, the dev container CLI, as far as it has commands for it."""

from __future__ import annotations

import json
from pathlib import Path

from real_life import Failed, Life, Step, commit, ran

from tools import editors


def live(life: Life) -> list[Step]:
    """Its steps; it opens no port, reviews nothing, and has no command that ends a container."""
    client = [str(editors.DEVCONTAINER)]
    where = ["--workspace-folder", str(life.folder), "--docker-path", "docker"]
    inside = [*client, "exec", *where, "sh", "-c"]
    try:
        if life.step("up", lambda: _up(life, [*client, "up", *where])):
            life.step("tests", lambda: ran(life.run(*inside, life.project.tests)))
            life.step("commit", lambda: commit(life, inside))
    finally:
        life.step("down", lambda: _remove(life))
    return life.steps


def _up(life: Life, command: list[str]) -> str:
    done = life.run(*command, codes=(0, 1))
    answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
    if answer.get("outcome") != "success":
        words = f"{answer.get('message', '')} {answer.get('description', '')}".strip()
        raise Failed(" ".join(words.split())[:200] or "it says nothing")
    return ""


def _remove(life: Life) -> str:
    """By hand: containers of the folder, and those that Compose made beside them."""
    label = f"label=devcontainer.local_folder={life.folder}"
    own = life.run("docker", "ps", "--all", "--quiet", "--filter", label).stdout.split()
    if not own:
        return ""
    format_ = '{{index .Config.Labels "com.docker.compose.project"}}'
    project = life.run("docker", "inspect", "--format", format_, own[0]).stdout.strip()
    if project:
        beside = f"label=com.docker.compose.project={project}"
        own += life.run("docker", "ps", "--all", "--quiet", "--filter", beside).stdout.split()
    life.run("docker", "rm", "--force", "--volumes", *sorted(set(own)))
    return ""


def missing() -> str:
    """Why it cannot be run here, '' if it can."""
    return "" if Path(editors.DEVCONTAINER).exists() else editors.lacks("devcontainer-cli")

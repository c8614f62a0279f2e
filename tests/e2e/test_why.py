"""What `sandboxd why` says of commands that a running sandbox blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.world import World

pytestmark = [pytest.mark.engine]


@pytest.fixture
def running(world: World, project: Path) -> Iterator[Path]:
    done = world.run("up", cwd=project)
    assert done.returncode == 0, done.stderr
    yield project
    world.run("down", "--discard", cwd=project)


def why(world: World, project: Path, *words: str) -> tuple[str, list[dict[str, Any]]]:
    """The outcome and the answers about the last failed command, or about these words."""
    done = world.run("why", "--json", *(["--", *words] if words else []), cwd=project)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return document["outcome"], document["answers"]


def test_blocked_commands_have_their_reason(world: World, running: Path, runtime: str) -> None:
    done = world.run("why", cwd=running)
    assert done.returncode == 2 and "`sandboxd why -- COMMAND`" in done.stderr

    done = world.run("exec", "-n", "--", "sh", "-c", "echo x > sandboxd.toml", cwd=running)
    assert done.returncode != 0
    outcome, (answer,) = why(world, running)
    assert (outcome, answer["control"]) == ("blocked", "read-only files")
    assert "`sandboxd.toml`" in answer["because"] and answer["decided_by"] == "profile dev"

    # A command that works is none that failed, and takes the place of none.
    assert world.run("exec", "-n", "--", "true", cwd=running).returncode == 0
    assert why(world, running)[1] == [answer]
    assert why(world, running, "false") == ("not known", [])

    outcome, (answer,) = why(world, running, "wget", "-q", "-O", "-", "http://denied.test/")
    assert (outcome, answer["control"]) == ("blocked", "network")
    assert answer["change"] == "`sandboxd egress allow denied.test`"

    outcome, (answer,) = why(world, running, "mount", "-t", "tmpfs", "none", "/mnt")
    assert (outcome, answer["control"]) == ("blocked", "capabilities")

    command = (
        "dd if=/dev/zero of=/dev/shm/full bs=1M count=200; code=$?; rm /dev/shm/full; exit $code"
    )
    outcome, (answer,) = why(world, running, "sh", "-c", command)
    assert (outcome, answer["control"]) == ("blocked", "size of a folder")
    assert "64.0 MiB" in answer["because"] or "64 MiB" in answer["because"]

    assert why(world, running, "sh", "-c", "nosuch")[0] == "not by the sandbox"

    screen = world.run("why", "--", "mv", ".vscode", "other", cwd=running)
    assert "blocked" in screen.stdout and "`.vscode` is a mount" in screen.stdout, screen
    assert "other" in screen.stderr and "mv:" not in screen.stdout

    # What it printed may be a secret: it goes with the sandbox. A link to the folder leads to the same record.
    link = running.parent / "link"
    link.symlink_to(running)
    assert why(world, link)[0] == "blocked"
    assert world.run("down", cwd=running).returncode == 0
    assert world.run("up", cwd=running).returncode == 0
    assert world.run("why", cwd=running).returncode == 2

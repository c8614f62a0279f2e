"""A cluster that somebody named: `SANDBOXD_TEST_KUBECONFIG`, whose current context is used, and an image.

`SANDBOXD_TEST_IMAGE` is one that the cluster can pull, with sh, tar, git and Python 3.11 or later
(`python:3.13` is). The namespace is the context's; nothing is changed outside of it, and what the tests make they
take away.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.forked import run_forked
from tests.integration.commands import Result
from tests.patience import PATIENCE

START = 5 * PATIENCE
"""Seconds for a start: a node may have to pull the image first."""


class Project:
    """A project of the test, and `sandboxd` in its folder; a command of `ON` goes to the cluster."""

    ON = frozenset(
        {"up", "down", "exec", "review", "status", "logs", "cp", "list", "doctor", "verify"}
    )

    def __init__(self, folder: Path, context: str, kubeconfig: str, image: str) -> None:
        self.folder, self.context, self.image = folder, context, image
        self._environ = os.environ | {
            "KUBECONFIG": kubeconfig,
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        }

    def __call__(self, command: str, *words: str, input: str | None = None) -> Result:
        on = ("--on", self.context) if command in self.ON else ()
        arguments = (command, *on, *words)
        done = run_forked(
            arguments, cwd=self.folder, env=self._environ, timeout=START, input=input
        )  # fmt: skip
        return Result(done)

    def ok(self, command: str, *words: str, input: str | None = None) -> str:
        """What the command prints, which has to end well."""
        result = self(command, *words, input=input)
        assert result.code == 0, f"{command} {words}: {result.code}\n{result.out}\n{result.err}"
        return result.out

    def up(self, *words: str) -> dict[str, Any]:
        """Start the sandbox; what is known of the start."""
        out = self.ok("up", "--json", "--gateway-image", self.image, *words)
        document: dict[str, Any] = json.loads(out)
        return document

    def inside(self, script: str, *words: str) -> str:
        return self.ok("exec", *words, "--", "sh", "-c", script)

    def listed(self) -> list[str]:
        """The names of all sandboxes in the namespace."""
        return [each["name"] for each in json.loads(self.ok("list", "--json"))["sandboxes"]]


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    path = os.environ.get("SANDBOXD_TEST_KUBECONFIG", "")
    if not path or not os.environ.get("SANDBOXD_TEST_IMAGE"):
        pytest.skip("no cluster: name one by SANDBOXD_TEST_KUBECONFIG and SANDBOXD_TEST_IMAGE")
    return path


@pytest.fixture
def new_project(kubeconfig: str, tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes projects by the text of their sandboxd.toml; their sandboxes are gone after the test."""
    context = yaml.safe_load(Path(kubeconfig).read_text())["current-context"]
    made: list[Project] = []

    def make(text: str = "") -> Project:
        folder = tmp_path / f"life-{secrets.token_hex(3)}"
        folder.mkdir()
        (folder / "main.py").write_text("print('hello')\n")
        image = os.environ["SANDBOXD_TEST_IMAGE"]
        head, tail = f'image = "{image}"\n', text or '[network]\nmode = "none"\n'
        (folder / "sandboxd.toml").write_text(head + tail)
        made.append(Project(folder, context, kubeconfig, image))
        return made[-1]

    yield make
    for project in made:
        project("down", "--discard")

"""A person who lets agents work on one repository, and what the tests of that share."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from sandboxd.engine.client import Engine
from sandboxd.model.labels import GATEWAY, PROJECT
from tests.e2e import rich_image, sandboxes
from tests.e2e.agent_services import SECRET, Services
from tests.integration.daemon.world import World

_LIBRARIES = ("libdl.so.2", "libpthread.so.0", "librt.so.1", "libm.so.6")
PATTERN = "marked-secret-[0-9a-f]+"
"""Finds the secret, and does not hold it: what searches inside is a process there."""


def image(engine: str, folder: Path) -> str:
    """An image with the C library that the makers' programs are for."""

    def more(root: Path) -> list[str]:
        for name in _LIBRARIES:
            for path in Path("/usr/lib").glob(f"*-linux-gnu/{name}"):
                target = root / str(path).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    target.write_bytes(path.read_bytes())
        return []

    return rich_image.build(engine, folder, "sandboxd-agents:1", more).image


def repository(folder: Path, image_tag: str, runtime: str) -> Path:
    """A project with one commit, whose sandboxd.toml names an image and a runtime."""
    folder.mkdir(parents=True)
    (folder / "weather.sh").write_text("echo sunny\n")
    text = f'image = "{image_tag}"\n' + ('runtime = "runc"\n' if runtime == "runc" else "")
    (folder / "sandboxd.toml").write_text(text)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.test"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        [*identity, "commit", "-qm", "first"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    sandboxes.give_to_user(folder)
    return folder


class Person:
    """Types commands in one project."""

    def __init__(self, world: World, project: Path, runtime: str, services: Services) -> None:
        self.world, self.project = world, project
        world.environ["SSL_CERT_FILE"] = str(services.authority)
        world.environ["MODEL_KEY"] = SECRET
        self.granting = ("--yes", "--allow-runc") if runtime == "runc" else ("--yes",)

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.world.run(*words, cwd=self.project, **more)

    def must(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def agent(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """`sandboxd agent NAME`, with what it needs granted."""
        return self.run("agent", name, *self.granting, *words)

    def write_agent(self, name: str, text: str) -> None:
        """An agent of the person's own."""
        folder = Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/agents"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text)


def script_agent(script: str, again: str = "") -> str:
    """The file of an agent that is a script of `bash`.

    :param again: what it does by `--resume`; '' for none
    """
    resume = _words("print_resume", again) + _words("resume", again) if again else ""
    return f"""
title = "Script"
source = "https://example.org/script"
program = "bash"

[command]
{_words("start", script)}{_words("print", script)}{resume}
"""


def _words(name: str, script: str) -> str:
    text = script.replace("\\", "\\\\").replace('"', '\\"')
    task = ', "{task}"' if name.startswith("print") else ""
    return f'{name} = ["-c", """{text}"""{task}]\n'


def places_of_the_secret(person: Person, session: str, api: Engine, data: Path) -> list[str]:
    """Where the marked secret is, but for the variable in which the person has it.

    :param data: the engine's folder: images, volumes, containers and their logs
    """
    inside = ("exec", "--name", session, "-n", "sh", "-c")
    texts = {
        "environment inside": person.run(*inside, "cat /proc/*/environ /proc/*/cmdline").stdout,
        "files inside": person.run(
            *inside,
            f"grep -rahoE -D skip '{PATTERN}' ~ /home /tmp /etc /opt/inside /run /workspaces",
        ).stdout,
        "plan": person.run("explain-plan", "--json").stdout,
        "record": person.run("audit", "--json").stdout,
        "status": person.run("status", "--json").stdout,
    }
    for container in [*api.containers(PROJECT), *api.containers(GATEWAY)]:
        inspected = api.inspect(container.id)
        texts[f"inspect {container.name}"] = json.dumps(inspected)
        for name in ("environ", "cmdline"):
            path = Path(f"/proc/{inspected['State']['Pid']}/{name}")
            texts[f"{name} of {container.name}"] = path.read_bytes().decode("latin-1")
    places = [name for name, text in texts.items() if SECRET in text]
    for folder in (person.world.home, person.project, data):
        words = ["grep", "-rlaF", "-D", "skip", SECRET, str(folder)]
        places += subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    return places

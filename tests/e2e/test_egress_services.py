"""A Compose project behind its gateway: services find each other by name, and none has a way round it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.life import networks, services
from sandboxd.model.labels import SERVICE
from tests.e2e import outside, sandboxes
from tests.e2e.internet_of_engine import PLAIN, engine, internet, left, private_engine, runtime
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.patience import eventually
from tools.private_engine import import_busybox_image

__all__ = ["engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = {"allowed.test", "evil.test"}

# What `db` tells: whom it is, and what it reaches itself.
TELL = f"""
echo $WHO
wget -T 60 -q -O - http://cache:6379/
wget -T 60 -q -O - http://allowed.test/
wget -T 60 -q -O - http://evil.test/ 2>&1
wget -T 5 -q -O - http://{outside.ADDRESS}/ 2>&1
grep CapEff /proc/self/status
"""


def compose(image: str) -> str:
    """The project's Compose file, as JSON, which is YAML."""
    again = "while :; do tell >/data/new 2>&1; mv /data/new /data/told; sleep 1; done &"
    database = f"tell() {{{TELL}}}\n{again}\nexec httpd -f -p 5432 -h /data"
    cache = "sh -c 'mkdir -p /tmp/www; echo a cache >/tmp/www/index.html; exec httpd -f -p 6379 -h /tmp/www'"
    services = {
        "app": {"image": image, "depends_on": ["db"]},
        "db": {
            "image": image,
            "environment": {"WHO": "a database"},
            "command": ["sh", "-c", database.replace("$", "$$")],
            "volumes": ["data:/data"],
            "depends_on": ["cache"],
        },
        "cache": {"image": image, "command": cache, "cap_drop": ["ALL"]},
        "weak": {"image": image, "privileged": True},
        "absent": {"image": "no.such.example/image:1"},
    }
    return json.dumps({"services": services, "volumes": {"data": {}}}, indent=2)


@pytest.fixture
def project(tmp_path: Path, engine: str, runtime: str) -> Path:
    image = import_busybox_image(engine)
    folder = sandboxes.make_project(tmp_path / "ws", image, runtime, granted=False)
    (folder / "sandboxd.toml").write_text(
        f'runtime = "{runtime}"\nprofile = "dev"\n[network]\nallow = ["allowed.test:80"]\n'
    )
    (folder / ".devcontainer/compose.yml").write_text(compose(image))
    (folder / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/workspace"}\n'
    )
    sandboxes.give_to_user(folder)
    sandboxes.grant(folder)
    return folder


def test_services_are_found_by_name_and_reach_what_the_workspace_reaches(
    engine: str, internet: Outside, world: World, project: Path
) -> None:
    api = connect_from({"DOCKER_HOST": engine})
    internet.asked.clear()

    def type_in(*words: str) -> subprocess.CompletedProcess[str]:
        return world.run(*words, cwd=project)

    def inside(text: str) -> str:
        done = type_in("exec", "-n", "sh", "-c", text)
        return done.stdout + done.stderr

    def await_cache(before: str) -> None:
        """It has no health check, so that `up` does not wait until it listens."""
        ask = f"{before}wget -T 60 -q -O - http://cache:6379/"
        eventually(lambda: inside(ask) == "a cache\n", lambda: inside(ask))

    try:
        done = type_in("up")
        assert done.returncode == 1, "an image is missing"
        assert "`weak` is privileged: `sandboxd up` does not start it" in done.stderr
        assert (
            "the service `absent` is not started: its image `no.such.example/image:1`"
            in done.stderr
        )
        assert names(api, project) == ["cache", "db"]
        for before in (PLAIN, ""):
            await_cache(before)
        answer = told(lambda: inside(f"{PLAIN}wget -T 60 -q -O - http://db:5432/told"))
        assert answer[-1].split()[-1] != "0000003fffffffff", "rights are taken from services, too"
        assert not any(line.startswith("outside for") for line in answer[3:]), answer
        assert "evil.test" not in internet.asked
        assert "can't connect" in inside(f"{PLAIN}wget -T 60 -q -O - http://weak/"), (
            "nobody is there"
        )
        attacked = json.loads(type_in("verify", "--json").stdout)["attempts"]
        (peer,) = (each for each in attacked if each["id"] == "container-peer")
        assert peer["outcome"] == "not-applicable", "its own services are no strangers"
        # An answer of a person keeps the services' names; another `up` keeps what runs.
        assert type_in("egress", "allow", "evil.test:80").returncode == 0
        assert inside(f"{PLAIN}wget -T 60 -q -O - http://cache:6379/") == "a cache\n"
        before_up = {each.id for each in api.containers(SERVICE)}
        assert type_in("up").returncode == 1
        assert {each.id for each in api.containers(SERVICE)} == before_up
        # One that died is started again, and one that the file does not name any more goes.
        api.stop(services.name_of(str(project), "cache"), 0)
        file = project / ".devcontainer/compose.yml"
        file.write_text(file.read_text().replace('"db"', '"db2"'))
        assert type_in("up").returncode == 1
        assert names(api, project) == ["cache", "db2"]
        await_cache(PLAIN)
    finally:
        type_in("down", "--discard")
    assert left(api) == []
    assert networks.pair_of(api, str(project)) is None


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_a_service_that_ends_at_once_is_named_with_its_last_words(
    engine: str, world: World, project: Path
) -> None:
    image = import_busybox_image(engine)
    ends = "echo 'no password is set' >&2; exit 3"
    entries = {
        "app": {"image": image},
        "db": {"image": image, "command": ["sh", "-c", ends]},
        "job": {"image": image, "command": ["true"]},
    }
    (project / ".devcontainer/compose.yml").write_text(json.dumps({"services": entries}))
    try:
        for _ in range(5):
            done = world.run("up", cwd=project)
            if done.returncode:
                break
            # On a slow machine it ended later than `up` looks, and that is left to `status`.
            world.run("down", "--discard", cwd=project)
        assert done.returncode == 1, done.stderr
        said = "error: the service `db` ended with exit code 3: no password is set\n"
        assert done.stderr.endswith(f"{said}hint: sandboxd logs --service db\n")
        assert "no password is set" in world.run("logs", "--service", "db", cwd=project).stderr
    finally:
        world.run("down", "--discard", cwd=project)


# It serves what it gets of the workspace, asked by a name of the workspace.
RELAY = """
mkdir -p /tmp/www
while :; do wget -T 5 -q -O /tmp/www/new http://site.test:8080/word && mv /tmp/www/new /tmp/www/got; sleep 1; done &
exec httpd -f -p 80 -h /tmp/www
"""


def test_each_name_of_a_service_and_of_the_workspace_leads_to_it(
    engine: str, world: World, project: Path
) -> None:
    image = import_busybox_image(engine)
    entries = {
        "app": {"image": image, "hostname": "site.test"},
        "relay": {
            "image": image,
            "container_name": "my_relay",
            "hostname": "relay.internal",
            "command": ["sh", "-c", RELAY, "${NOT_SET}"],
            "networks": {"default": {"aliases": ["front"]}},
        },
    }
    (project / ".devcontainer/compose.yml").write_text(json.dumps({"services": entries}))

    def inside(text: str) -> str:
        done = world.run("exec", "-n", "sh", "-c", text, cwd=project)
        return done.stdout + done.stderr

    def is_answered(ask: str) -> bool:
        return inside(ask) == "of the workspace\n"

    try:
        done = world.run("up", cwd=project)
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stderr.split())
        assert "`relay`: `NOT_SET` is not set in the project's `.env`, so empty" in said
        inside("mkdir /tmp/www; echo of the workspace >/tmp/www/word; httpd -p 8080 -h /tmp/www")
        for name in ("relay", "my_relay", "relay.internal", "front"):
            for before in (PLAIN, ""):
                ask = f"{before}wget -T 5 -q -O - http://{name}/got"
                eventually(partial(is_answered, ask), lambda: (name, before))  # noqa: B023
    finally:
        world.run("down", "--discard", cwd=project)


def told(ask: Callable[[], str]) -> list[str]:
    """The lines that `db` tells once it has its names."""
    lines: list[str] = []

    def has_names() -> bool:
        lines[:] = ask().splitlines()
        return lines[:3] == ["a database", "a cache", "outside for allowed.test"]

    eventually(has_names, lambda: lines)
    return lines


def names(api: Engine, project: Path) -> list[str]:
    """The services that run."""
    prefix = services.name_of(str(project), "")
    running = [each for each in api.containers(SERVICE) if each.state == "running"]
    return sorted(each.name.removeprefix(prefix) for each in running)

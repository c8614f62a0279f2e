"""Whole turns of real agents by `sandboxd agent`, and agents of a person's own, side by side."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.agents import volume
from sandboxd.engine.client import Engine, connect_from
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.model.labels import PROGRAM as PROGRAM_LABEL
from sandboxd.verify import listeners
from tests.e2e import agent_services, agent_world, outside, sandboxes
from tests.e2e.agent_services import ANTHROPIC, DONE, GEMINI, OPENAI, REGISTRY, Services
from tests.e2e.agent_world import Person
from tests.e2e.test_egress import pytest_generate_tests, runtime
from tests.integration.daemon.world import World
from tools import agents
from tools.engine import private

__all__ = ["pytest_generate_tests", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

EDITED = "echo sunny\nby an agent\n"


@pytest.fixture(scope="module")
def private_engine(own_engines: None) -> Iterator[private.Engine]:
    started = private.start(
        f"agents-{os.getpid()}", owner=os.getpid(), arguments=[f"--dns={outside.ADDRESS}"]
    )
    try:
        yield started
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def engine(private_engine: private.Engine) -> str:
    return private_engine.docker_host


@pytest.fixture(scope="module")
def services(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update(agent_services.HOSTS)
        every = Services(served.pid, tmp_path_factory.mktemp("services"))
        try:
            yield every
        finally:
            every.close()


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return agent_world.image(engine, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state for all tests, where it is noted which programs are installed: each is so once."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def person(
    world: World,
    tmp_path: Path,
    image: str,
    runtime: str,
    services: Services,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Person]:
    world.environ["XDG_STATE_HOME"] = str(state)
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    services.asked.clear()
    services.spoiled = False
    project = agent_world.repository(tmp_path / "weather", image, runtime)
    yield Person(world, project, runtime, services)
    api = connect_from(world.environ)
    for container in [*api.containers(PROJECT), *api.containers(GATEWAY)]:
        api.remove(container.id)


@pytest.mark.agents
@pytest.mark.parametrize(
    ("agent", "service", "host"),
    [
        ("claude", "anthropic", ANTHROPIC),
        ("codex", "openai", OPENAI),
        ("gemini", "gemini", GEMINI),
        ("opencode", "anthropic", ANTHROPIC),
    ],
)
def test_a_real_agent_edits_a_file_and_never_has_the_key(
    agent: str,
    service: str,
    host: str,
    person: Person,
    services: Services,
    api: Engine,
    private_engine: private.Engine,
) -> None:
    if why := agents.lacks():
        pytest.skip(why)
    refused = person.agent(agent, "--print", "edit weather.sh")
    assert refused.returncode == 2 and f"`sandboxd credentials add {service}`" in refused.stderr
    person.must("credentials", "add", service, "--env", "MODEL_KEY")
    before = sandboxes.tree(person.project)

    done = person.agent(agent, "--print", "edit weather.sh")
    assert done.returncode == 0, done.stderr
    # Scripts read it, so nothing of ours is in it.
    assert done.stdout.strip() == DONE
    assert f"credential: {service}: {host}" in done.stderr
    assert "M weather.sh  +1 -0" in done.stderr
    assert sandboxes.tree(person.project) == before

    asked = services.of(host)
    assert len(asked) >= 2 and all(each.is_true for each in asked)
    data = Path(private_engine.folder)
    assert agent_world.places_of_the_secret(person, agent, api, data) == []

    again = person.agent(agent, "--resume", "--print", "once more")
    assert again.returncode == 0, again.stderr
    # It knows what was said before.
    assert "edit weather.sh" in services.of(host)[-1].text
    assert "brought into the workspace: 1 change" in person.must(
        "review", "--name", agent, "--apply", "--yes"
    )
    assert (person.project / "weather.sh").read_text() == EDITED
    person.must("down", "--name", agent)


PROGRAM = b"""#!/bin/sh
echo "task: $1"
echo 'by an agent' >> weather.sh
[ -w "$0" ] && echo 'its own program can be written'
exit 7
"""


def package() -> bytes:
    """A package of npm with one program, the same each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("package/bin/agent")
        entry.size, entry.mode = len(PROGRAM), 0o755
        archive.addfile(entry, io.BytesIO(PROGRAM))
    return gzip.compress(packed.getvalue(), mtime=0)


def own_agent(title: str = "Own") -> str:
    digest = base64.b64encode(hashlib.sha512(package()).digest()).decode()
    return f"""
title = "{title}"
source = "https://example.org/own"
program = "bin/agent"

[[package]]
name = "own-agent"
version = "1.0.0"
integrity = "sha512-{digest}"

[command]
start = []
print = ["{{task}}"]
"""


def test_a_program_is_fetched_once_and_by_its_digest_alone(
    person: Person, services: Services, api: Engine
) -> None:
    services.archives["own-agent-1.0.0.tgz"] = package()
    name = f"own-{person.project.parent.name[-8:].lower().strip('_').replace('_', '-')}"
    person.write_agent(name, own_agent())
    typo = person.agent(name, "--name", "typo", "--image", "nosuch:1", "--print", "a task")
    assert typo.returncode == 4 and "has no image `nosuch:1`" in typo.stderr, typo.stderr
    assert services.of(REGISTRY) == []
    services.spoiled = True
    spoiled = person.agent(name, "--print", "a task")
    assert spoiled.returncode == 4, spoiled.stderr
    assert "is another content than it has to be" in spoiled.stderr
    volumes = [each for each in volumes_of(person) if each.startswith(f"{volume.PREFIX}{name}-")]
    assert volumes == []

    services.spoiled = False
    done = person.agent(name, "--print", "a task")
    assert (done.returncode, done.stdout) == (7, "task: a task\n"), done.stderr
    assert "exit code 7; 1 file changed in its copy" in done.stderr
    (kept,) = (each for each in volumes_of(person) if each.startswith(f"{volume.PREFIX}{name}-"))
    described = api.volume(kept)
    assert described is not None
    assert (described["Labels"] or {})[PROGRAM_LABEL] == f"{name} own-agent@1.0.0"

    count = len(services.of(REGISTRY))
    person.must("down", "--name", name, "--discard")
    assert person.agent(name, "--print", "a task").returncode == 7
    assert len(services.of(REGISTRY)) == count
    # Only the registry was reached by the installation, and no network of it is left.
    assert {asked.host for asked in services.asked} == {REGISTRY}
    person.must("down", "--name", name, "--discard")


def volumes_of(person: Person) -> list[str]:
    command = ["docker", "volume", "ls", "-q"]
    done = subprocess.run(command, env=person.world.environ, capture_output=True, text=True)
    return done.stdout.split()

"""Real databases of a Compose project under `sandboxd up`: in their order, with their health, and confined."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life import services
from sandboxd.model import capabilities
from sandboxd.model.labels import GATEWAY, PROJECT, SERVICE
from tests.e2e import database_images, sandboxes
from tests.e2e.database_images import POSTGRES, REDIS
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually
from tests.ports import pick_port

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

MADE_BY_JOB = "create table if not exists by_job (name text)"
ASKS_SSL = bytes.fromhex("0000000804d2162f")
"""The first message of a client of PostgreSQL; a server answers with one letter."""


def compose(check: str = "pg_isready -h 127.0.0.1 -U postgres") -> dict[str, Any]:
    """The services of the project, the health check of its database given."""
    healthy = {"condition": "service_healthy"}
    return {
        "app": {
            "image": POSTGRES,
            "depends_on": {"job": {"condition": "service_completed_successfully"}},
        },
        "db": {
            "image": POSTGRES,
            "environment": {"POSTGRES_PASSWORD": "${PASSWORD:-dev}"},
            "volumes": ["data:/data", "./sql:/initdb.d:ro"],
            "healthcheck": {"test": check, "interval": "500ms", "retries": 120},
        },
        "job": {
            "image": POSTGRES,
            "entrypoint": ["psql", "-h", "db", "-U", "postgres", "-c", MADE_BY_JOB],
            "depends_on": {"db": healthy},
        },
        "cache": {"image": REDIS, "network_mode": "service:app"},
        "tool": {"image": REDIS, "profiles": ["tools"]},
    }


@pytest.fixture(scope="module", autouse=True)
def images(engine: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if lack := database_images.missing():
        pytest.skip(lack)
    database_images.build(engine, tmp_path_factory.mktemp("images"))


@pytest.fixture
def project(tmp_path: Path, runtime: str) -> Path:
    folder = sandboxes.make_project(tmp_path / "ws", POSTGRES, runtime, granted=False)
    (folder / "sandboxd.toml").write_text(f'runtime = "{runtime}"\nprofile = "dev"\n')
    config = {
        "dockerComposeFile": "compose.yml",
        "service": "app",
        "postCreateCommand": "echo the hook runs",
    }
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    (folder / ".devcontainer/sql").mkdir()
    (folder / ".devcontainer/sql/a.sql").write_text("create table by_file (name text);\n")
    write(folder, compose())
    sandboxes.give_to_user(folder)
    sandboxes.grant(folder)
    return folder


def write(project: Path, entries: dict[str, Any]) -> None:
    text = json.dumps({"services": entries, "volumes": {"data": {}}})
    (project / ".devcontainer/compose.yml").write_text(text)


def test_the_life_of_an_application_with_its_databases(
    api: Engine, world: World, project: Path, runtime: str
) -> None:
    def type_in(*words: str) -> subprocess.CompletedProcess[str]:
        return world.run(*words, cwd=project)

    def tables() -> set[str]:
        query = "select tablename from pg_tables where schemaname = 'public'"
        done = type_in("exec", "-n", "--", "psql", "-h", "db", "-U", "postgres", "-tAc", query)
        return set(done.stdout.split())

    try:
        done = type_in("up")
        assert done.returncode == 0, done.stderr
        order = [done.stderr.index(f"starting the service `{name}`") for name in ("db", "job")]
        assert order == sorted(order) and "the hook runs" in done.stderr
        assert tables() == {"by_file", "by_job"}
        is_shared = runtime == "runc"
        assert ("`cache` is not at `localhost`" in done.stderr) != is_shared
        # It has no health check that anybody waits for.
        eventually(lambda: answers_ping(type_in, "localhost" if is_shared else "cache"))
        assert_confined(api, project, is_gvisor=runtime == "gvisor")
        assert services.name_of(str(project), "tool") not in {e.name for e in api.containers()}
        drift = type_in("drift", "--all")
        assert drift.returncode == 0, drift.stdout
        assert "`db` is healthy" in re.sub(r"\s+", " ", drift.stdout)
        forward = world.popen("forward", f"db:5432:{pick_port()}", cwd=project)
        assert asks_through(forward) in (b"N", b"S")
        forward.terminate()
        forward.wait(PATIENCE)
        # What the database keeps outlasts it, and it was not killed.
        assert type_in("down", "--discard").returncode == 0
        assert left(api, project) == []
        assert type_in("up", "--no-hooks").returncode == 0
        assert tables() == {"by_file", "by_job"}

        def log() -> str:
            done = type_in("logs", "--service", "db")
            return done.stdout + done.stderr

        eventually(lambda: "database system was shut down at" in log(), log)
    finally:
        type_in("down", "--discard")
    assert left(api, project) == []


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_a_sick_database_is_named_and_the_hooks_wait_for_it(world: World, project: Path) -> None:
    def type_in(*words: str) -> subprocess.CompletedProcess[str]:
        return world.run(*words, cwd=project)

    sick = compose("echo no such role; exit 3")
    sick["db"]["healthcheck"]["retries"] = 2
    write(project, sick)
    try:
        done = type_in("up")
        assert done.returncode == 1
        assert "the service `db` is unhealthy: no such role" in done.stderr
        assert "the service `job` is not started: it needs `db`" in done.stderr
        assert "the hook runs" not in done.stderr
        shown = re.sub(r"\s+", " ", type_in("drift", "--all").stdout)
        assert "`db` is unhealthy: no such role" in shown
        write(project, compose())
        done = type_in("up")
        assert done.returncode == 0, done.stderr
        assert "the hook runs" in done.stderr
    finally:
        type_in("down", "--discard")


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_compose_reads_in_the_override_the_rights_that_up_gives(
    api: Engine, world: World, project: Path
) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("no docker-compose: apt-get install docker-compose")
    assert world.run("generate", cwd=project).returncode == 0
    files = ("compose.yml", "sandboxd/docker-compose.sandboxd.yml")
    words = [word for file in files for word in ("-f", str(project / ".devcontainer" / file))]
    done = subprocess.run(
        ["docker-compose", *words, "config", "--format", "json"],
        capture_output=True,
        check=True,
    )
    read = json.loads(done.stdout)["services"]
    assert read["app"]["depends_on"]["job"]["condition"] == "service_completed_successfully"
    try:
        assert world.run("up", "--no-hooks", cwd=project).returncode == 0
        for name in ("db", "cache"):
            host = api.inspect(services.name_of(str(project), name))["HostConfig"]
            assert read[name]["cap_drop"] == host["CapDrop"]
            assert sorted(read[name]["cap_add"]) == without_prefix(host["CapAdd"] or [])
            assert "no-new-privileges=true" in read[name]["security_opt"]
            assert int(read[name]["mem_limit"]) == host["Memory"]
            assert read[name]["pids_limit"] == host["PidsLimit"]
    finally:
        world.run("down", "--discard", cwd=project)


def without_prefix(names: list[str]) -> list[str]:
    return sorted(name.removeprefix("CAP_") for name in names)


def answers_ping(type_in: Any, host: str) -> bool:
    words = f"exec 3<>/dev/tcp/{host}/6379; echo PING >&3; read -r line <&3; echo $line"
    return "+PONG" in type_in("exec", "-n", "--", "bash", "-c", words).stdout


def assert_confined(api: Engine, project: Path, *, is_gvisor: bool) -> None:
    """Look at the database's container, and at what the kernel says of its first process."""
    inspected = api.inspect(services.name_of(str(project), "db"))
    host = inspected["HostConfig"]
    assert host.get("CapDrop") == ["ALL"] and not host.get("Privileged")
    binds = [m for m in inspected.get("Mounts") or [] if m.get("Type") == "bind"]
    assert [mount["Destination"] for mount in binds] == ["/etc/resolv.conf"]
    assert host.get("Memory") and "no-new-privileges" in " ".join(host.get("SecurityOpt") or [])
    if is_gvisor:
        assert host.get("Runtime") == "runsc-sandboxd"
        return
    text = Path(f"/proc/{inspected['State']['Pid']}/status").read_text()
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    needed = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert capabilities.names(status["CapBnd"]) == needed
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def asks_through(forward: subprocess.Popen[str]) -> bytes:
    """The answer of PostgreSQL at the port that `forward` opened."""
    assert forward.stdout is not None
    line = forward.stdout.readline()
    port = int(line.partition(" ")[0].rpartition(":")[2])

    def answer() -> bytes:
        with (
            contextlib.suppress(ConnectionResetError),
            socket.create_connection(("127.0.0.1", port), PATIENCE) as connection,
        ):
            connection.settimeout(PATIENCE)
            connection.sendall(ASKS_SSL)
            return connection.recv(1)
        return b""

    return eventually(answer)


def left(api: Engine, project: Path) -> list[str]:
    labels = (PROJECT, GATEWAY, SERVICE)
    return [each.name for label in labels for each in api.containers(f"{label}={project}")]

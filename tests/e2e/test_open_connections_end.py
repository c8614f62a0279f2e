"""An open connection of a program inside ends when what it was made by is taken back: real engine, gateway and daemon."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.verify import listeners
from tests.e2e import sandboxes
from tests.e2e.outside import ADDRESS, Outside
from tests.e2e.test_egress import (
    busybox_image,
    engine,
    host_facts,
    internet,
    nothing_is_left,
    pytest_generate_tests,
    runtime,
)
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

__all__ = [
    "busybox_image",
    "engine",
    "host_facts",
    "internet",
    "nothing_is_left",
    "pytest_generate_tests",
    "runtime",
]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAME, PORT = "allowed.test", 7007


@pytest.fixture
def echo(internet: Outside) -> Iterator[None]:
    """A server outside that sends back what comes."""
    with listeners.network_of(internet.pid):
        listener = socket.create_server((ADDRESS, PORT))

    def answer(client: socket.socket) -> None:
        with client, contextlib.suppress(ConnectionError):
            while data := client.recv(4096):
                client.sendall(data)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


class Sandbox:
    """A sandbox that runs, with a daemon; its user has a policy."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project
        self.policy = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"
        config = project / "sandboxd.toml"
        config.write_text(f'{config.read_text()}\n[network]\nmode = "allow"\n')
        sandboxes.grant(project)

    def must(self, *words: str) -> None:
        done = self.world.run(*words, cwd=self.project)
        assert done.returncode == 0, done.stderr

    def connection(self) -> subprocess.Popen[str]:
        """A program inside that holds a connection open; it ends with that."""
        api = connect_from(self.world.environ)
        (own,) = api.containers(f"dev.sandboxd.project={self.project}")
        words = ("docker", "-H", self.world.environ["DOCKER_HOST"], "exec", "-i", own.id)
        client = subprocess.Popen(
            [*words, "nc", NAME, str(PORT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert goes_on(client)
        return client


def goes_on(client: subprocess.Popen[str]) -> bool:
    """Whether an echo still comes back."""
    assert client.stdin is not None and client.stdout is not None
    try:
        client.stdin.write("x\n")
        client.stdin.flush()
    except BrokenPipeError:
        return False
    return client.stdout.readline() == "x\n"


@pytest.fixture
def sandbox(world: World, project: Path, echo: None) -> Iterator[Sandbox]:
    sandbox = Sandbox(world, project)
    world.start()
    sandbox.must("up", "--allow-runc")
    yield sandbox
    sandbox.policy.unlink(missing_ok=True)
    world.run("down", "--discard", cwd=project)


def test_that_of_an_approval_for_once_ends_when_a_policy_forbids_it(sandbox: Sandbox) -> None:
    forbids = ('network = "none"', "trust = false", 'network_allow = ["other.test"]')
    for line in forbids:
        sandbox.must("egress", "allow", f"{NAME}:{PORT}", "--once")
        client = sandbox.connection()
        _until_used(sandbox)
        assert goes_on(client), "using it up is not taking it back"
        sandbox.policy.write_text(f"{line}\n")
        assert client.wait(PATIENCE) is not None, line
        sandbox.policy.unlink()


def test_it_ends_when_all_has_to_go_by_another_way(sandbox: Sandbox) -> None:
    sandbox.must("egress", "allow", f"{NAME}:{PORT}")
    client = sandbox.connection()
    sandbox.policy.write_text(f'network_proxy = "http://{ADDRESS}:3128"\n')
    assert client.wait(PATIENCE) is not None


def _until_used(sandbox: Sandbox) -> None:
    answers = sandbox.policy.with_name("egress.toml")
    eventually(lambda: "used = true" in answers.read_text())

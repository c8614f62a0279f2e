"""What a sandbox that runs may have no more it has no more, by whatever way that was taken back: seen by a client inside.

Of a real engine, gateway and daemon. Each way follows on the one before, in one sandbox, which has the name again in
between.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.life import gateway
from tests.e2e import sandboxes
from tests.e2e.outside import Outside
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
from tests.patience import eventually

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

NAME = "allowed.test"
ASK = f"wget -T 60 -q -O - http://{NAME}/ 2>&1"
DENIES = f'network_deny = ["{NAME}"]\n'


class Sandbox:
    """A sandbox that runs, with a daemon, and a client inside."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project
        self.config = project / "sandboxd.toml"
        self.text = self.config.read_text() + f'\n[network]\nallow = ["{NAME}:80"]\n'
        self.policy = Path(world.environ["XDG_CONFIG_HOME"]) / "sandboxd/policy.toml"

    def must(self, *words: str) -> None:
        done = self.world.run(*words, cwd=self.project)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        self.config.write_text(self.text)
        sandboxes.grant(self.project)
        self.world.start()
        self.must("up", "--allow-runc")

    def reaches(self) -> bool:
        """Whether a client inside reaches the name; it is no command of ours, which would take back by itself."""
        words = ("docker", "-H", self.world.environ["DOCKER_HOST"], "exec", self.container)
        done = subprocess.run(
            [*words, "sh", "-c", ASK], capture_output=True, text=True, check=False
        )
        return "outside for" in done.stdout

    @property
    def container(self) -> str:
        api = connect_from(self.world.environ)
        (own,) = api.containers(f"dev.sandboxd.project={self.project}")
        return own.id

    def give_again(self) -> None:
        """All as it was at the start."""
        self.policy.unlink(missing_ok=True)
        self.config.write_text(self.text)
        sandboxes.grant(self.project)
        self.world.start()
        # An error unless it was denied.
        self.world.run("egress", "deny", "--undo", NAME, cwd=self.project)

    # -- ways to take it back

    def deny_by_policy(self) -> None:
        self.policy.write_text(DENIES)

    def replace_policy_by_a_link(self) -> None:
        target = self.project.parent / "dotfiles.toml"
        target.write_text(DENIES)
        self.policy.unlink(missing_ok=True)
        self.policy.symlink_to(target)

    def save_policy_as_editors_do(self) -> None:
        fresh = self.policy.with_name("policy.toml.new")
        fresh.write_text('network = "none"\n')
        fresh.rename(self.policy)

    def take_it_out_of_the_file(self) -> None:
        self.config.write_text(self.text.replace(f'"{NAME}:80"', ""))

    def edit_without_a_grant(self) -> None:
        self.config.write_text(self.text.replace(NAME, f"other.{NAME}"))

    def revoke(self) -> None:
        self.must("trust", "revoke", str(self.project))

    def deny(self) -> None:
        self.must("egress", "deny", NAME)

    def kill_the_daemon_first(self) -> None:
        pid = self.world.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.deny_by_policy()
        self.must("status")

    def kill_the_gateway_first(self) -> None:
        api = connect_from(self.world.environ)
        own = gateway.container_of(api, str(self.project))
        assert own is not None
        self.deny_by_policy()
        subprocess.run(
            ["docker", "-H", self.world.environ["DOCKER_HOST"], "kill", own.id],
            check=True,
            capture_output=True,
        )
        # It would show nothing while the gateway is gone: wait for the next one, which answers.
        eventually(
            lambda: (fresh := gateway.container_of(api, str(self.project))) and fresh.id != own.id
        )

    def revoke_by_another_address(self) -> None:
        with forwarded(self.world.environ["DOCKER_HOST"]) as address:
            before, self.world.environ["DOCKER_HOST"] = self.world.environ["DOCKER_HOST"], address
            try:
                self.must("trust", "revoke", str(self.project))
            finally:
                self.world.environ["DOCKER_HOST"] = before


WAYS: tuple[Callable[[Sandbox], None], ...] = (
    Sandbox.deny_by_policy,
    Sandbox.replace_policy_by_a_link,
    Sandbox.save_policy_as_editors_do,
    Sandbox.take_it_out_of_the_file,
    Sandbox.edit_without_a_grant,
    Sandbox.revoke,
    Sandbox.deny,
    Sandbox.kill_the_daemon_first,
    Sandbox.kill_the_gateway_first,
    Sandbox.revoke_by_another_address,
)


class forwarded:
    """A second address of an engine, by TCP, while the context is open."""

    def __init__(self, unix: str) -> None:
        self._path = unix.removeprefix("unix://")
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._accept, daemon=True).start()
        return f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._path)
            for one, other in ((client, engine), (engine, client)):
                threading.Thread(target=pass_on, args=(one, other), daemon=True).start()


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass on what comes, and its end."""
    try:
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def sandbox(world: World, project: Path, internet: Outside) -> Iterator[Sandbox]:
    sandbox = Sandbox(world, project)
    sandbox.policy.parent.mkdir(parents=True, exist_ok=True)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.policy.unlink(missing_ok=True)
        world.run("down", "--discard", cwd=project)


def test_what_is_taken_back_ends_inside(sandbox: Sandbox) -> None:
    for take in WAYS:
        sandbox.give_again()
        eventually(sandbox.reaches, lambda take=take: f"before {take.__name__}")
        take(sandbox)
        eventually(lambda: not sandbox.reaches(), lambda take=take: take.__name__)

"""What a sandbox that runs may have no more it has no more, by whatever way that was taken back: seen by clients inside.

A table: each row is a way to take something back, and names the clients inside that fail from then on. All others go
on. Each row begins with a sandbox that has everything.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.life import gateway
from sandboxd.model.labels import PROJECT
from tests.e2e import rights_world, sandboxes
from tests.e2e.internet_of_engine import engine, internet, left, private_engine, runtime
from tests.e2e.outside import Outside
from tests.e2e.rights_world import ANSWERED, PAGE, Reached, Sandbox
from tests.integration.daemon.world import World

__all__ = ["engine", "internet", "private_engine", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = rights_world.NAMES

NAME, ANSWER, TOKEN, KEYS, PUSH, LOGIN = "page", "answered", "broker", "keys", "push", "login"
"""The clients: of a name of the file, of a name by an answer, of the gateway's token, `ssh-add -l`, `git push` by SSH,
and of a login by SSH that stays open.
"""
EVERYTHING = frozenset({NAME, ANSWER, TOKEN, KEYS, PUSH, LOGIN})


def deny_the_name(box: Sandbox) -> None:
    box.write_policy(f'network_deny = ["{PAGE}"]\n')


def forbid_credentials(box: Sandbox) -> None:
    box.write_policy("credentials = []\n")


def forbid_the_network_by_a_rename(box: Sandbox) -> None:
    fresh = box.policy.with_name("policy.toml.new")
    fresh.write_text('network = "none"\n')
    fresh.rename(box.policy)


def link_to_another_policy(box: Sandbox) -> None:
    target = box.project.parent / "dotfiles.toml"
    target.write_text(f'{rights_world.PROXY}network_deny = ["{PAGE}"]\ncredentials = ["ssh"]\n')
    box.policy.unlink()
    box.policy.symlink_to(target)


def remove_the_login(box: Sandbox) -> None:
    box.login.unlink()


def change_the_login(box: Sandbox) -> None:
    box.write_login("somebody:else")


def take_all_out_of_the_file(box: Sandbox) -> None:
    box.config.write_text(box.text.partition("\n[network]")[0])


def edit_without_a_grant(box: Sandbox) -> None:
    box.config.write_text(box.text.replace(PAGE, f"other.{PAGE}"))


def revoke(box: Sandbox) -> None:
    box.must("trust", "revoke", str(box.project))


def remove_the_token(box: Sandbox) -> None:
    box.must("credentials", "remove", "github")


def remove_the_keys(box: Sandbox) -> None:
    box.must("credentials", "remove", "ssh")


def deny_the_answer(box: Sandbox) -> None:
    box.must("egress", "deny", ANSWERED)


def let_the_answer_end(box: Sandbox) -> None:
    box.must("egress", "allow", f"{ANSWERED}:80", "--for", "3s")


def kill_the_daemon_first(box: Sandbox) -> None:
    pid = box.world.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deny_the_name(box)
    box.must("status")


def kill_the_gateway_first(box: Sandbox) -> None:
    own = gateway.container_of(box.api, str(box.project))
    assert own is not None
    deny_the_name(box)
    engine = box.world.environ["DOCKER_HOST"]
    subprocess.run(["docker", "-H", engine, "kill", own.id], check=True, capture_output=True)


def start_again_with_less(box: Sandbox) -> None:
    box.must("down")
    deny_the_name(box)
    remove_the_keys(box)
    box.must("up", "--allow-runc")


def revoke_by_another_address(box: Sandbox) -> None:
    environ = box.world.environ
    with forwarded(environ["DOCKER_HOST"]) as address:
        before, environ["DOCKER_HOST"] = environ["DOCKER_HOST"], address
        try:
            revoke(box)
        finally:
            environ["DOCKER_HOST"] = before


def ask_for_an_open_network(box: Sandbox, used: str = '["github", "ssh"]') -> None:
    """Which the next start makes: until then the gateway goes on."""
    text = box.text.partition("\n[network]")[0]
    box.config.write_text(f'{text}\n[network]\nmode = "open"\n\n[credentials]\nuse = {used}\n')
    sandboxes.grant(box.project)


def take_credentials_out_while_an_open_network_waits(box: Sandbox) -> None:
    ask_for_an_open_network(box, "[]")


def deny_while_an_open_network_waits(box: Sandbox) -> None:
    ask_for_an_open_network(box)
    deny_the_answer(box)


def deny_while_a_file_is_half_saved(box: Sandbox) -> None:
    box.config.write_text(f"{box.text}[[[x")
    deny_the_answer(box)


def revoke_while_a_file_is_half_saved(box: Sandbox) -> None:
    box.config.write_text(f"{box.text}[[[x")
    revoke(box)


def name_the_place_of_the_token_again(box: Sandbox) -> None:
    box.must("credentials", "add", "github", "--env", "FORGE_TOKEN")


def edit_the_list_of_credentials(box: Sandbox) -> None:
    path = box.folder / "credentials.toml"
    path.write_text(path.read_text().replace('"FORGE_TOKEN"', '"FORGE_TOKEN3"'))


def revoke_beside_a_restart(box: Sandbox) -> None:
    """Without a daemon; the engine may say that it is stopped or that it runs."""
    pid = box.world.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    (own,) = box.api.containers(f"{PROJECT}={box.project}")
    engine = box.world.environ["DOCKER_HOST"]
    again = subprocess.Popen(["docker", "-H", engine, "restart", "-t", "1", own.id])
    box.world.run("trust", "revoke", str(box.project), cwd=box.project)
    assert again.wait() == 0
    box.must("status")


WAYS: dict[Callable[[Sandbox], None], frozenset[str]] = {
    deny_the_name: frozenset({NAME}),
    # Its file is refused as a whole; an answer is the user's own, whatever the file says.
    forbid_credentials: EVERYTHING - {ANSWER},
    forbid_the_network_by_a_rename: EVERYTHING,
    link_to_another_policy: EVERYTHING - {ANSWER},
    # Without it nothing leaves by the proxy; the agent needs no network.
    remove_the_login: EVERYTHING - {KEYS},
    change_the_login: EVERYTHING - {KEYS},
    take_all_out_of_the_file: EVERYTHING - {ANSWER},
    edit_without_a_grant: EVERYTHING - {ANSWER},
    revoke: EVERYTHING - {ANSWER},
    Sandbox.revoke_by_file: EVERYTHING - {ANSWER},
    remove_the_token: frozenset({TOKEN}),
    remove_the_keys: frozenset({KEYS, PUSH, LOGIN}),
    deny_the_answer: frozenset({ANSWER}),
    let_the_answer_end: frozenset({ANSWER}),
    # Keys are served by the daemon, and end with it; nobody took back the login that is open.
    kill_the_daemon_first: frozenset({NAME, KEYS, PUSH}),
    kill_the_gateway_first: frozenset({NAME}),
    start_again_with_less: frozenset({NAME, KEYS, PUSH, LOGIN}),
    revoke_by_another_address: EVERYTHING - {ANSWER},
    take_credentials_out_while_an_open_network_waits: EVERYTHING - {NAME, ANSWER},
    deny_while_an_open_network_waits: frozenset({ANSWER, KEYS, PUSH, LOGIN}),
    # Who cannot read what keys it may have has none; a login that is open may stay by what was read before.
    deny_while_a_file_is_half_saved: frozenset({ANSWER, KEYS, PUSH}),
    revoke_while_a_file_is_half_saved: EVERYTHING - {ANSWER},
    name_the_place_of_the_token_again: frozenset({TOKEN}),
    edit_the_list_of_credentials: frozenset({TOKEN}),
    revoke_beside_a_restart: EVERYTHING - {ANSWER},
}
"""Each way to take something back, with the clients that fail from then on."""


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


@pytest.fixture(scope="module")
def reached(internet: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    if not os.path.exists("/usr/sbin/sshd"):
        pytest.skip("no host for SSH: openssh-server is not installed")
    with rights_world.reached(internet.pid, tmp_path_factory.mktemp("reached")) as everything:
        yield everything


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return rights_world.build_image(engine, tmp_path_factory.mktemp("image"))


@pytest.fixture
def box(
    world: World, tmp_path: Path, image: str, runtime: str, reached: Reached
) -> Iterator[Sandbox]:
    box = Sandbox(world, sandboxes.make_project(tmp_path / "ws", image, runtime), reached)
    try:
        yield box
    finally:
        box.end()
    assert left(box.api) == []


def test_what_is_taken_back_ends_inside(box: Sandbox) -> None:
    for take, gone in WAYS.items():
        box.give_everything()
        box.wait_for(EVERYTHING, f"before {take.__name__}")
        take(box)
        began = time.monotonic()
        box.wait_for(EVERYTHING - gone, f"after {take.__name__}")
        # Shown by `-s`, and for nobody's verdict: one look of the clients takes a second, beside other work more.
        print(f"{take.__name__}: {box.failed_at - began:.1f} s")

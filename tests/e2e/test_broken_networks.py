"""Sandboxes whose network, sockets or secrets are open on purpose: `verify` must name what is reached."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.verify import listeners
from tests.e2e.sandboxes import attack, bind, escaped, host_config, make_project

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

METADATA = "169.254.169.254"


@pytest.fixture
def world_outside(engine: str, api: Engine, busybox_image: str) -> Iterator[str]:
    """A metadata service, a resolver that knows the world, and a neighbour; the gateway's address."""
    pid = listeners.engine_pid(engine)
    in_network = ["nsenter", "-t", str(pid), "-n", "ip", "address"]
    (gateway,) = api.network_gateways("bridge")
    neighbour = api.create("sandboxd-test-peer", {"Image": busybox_image, "Cmd": ["sleep", "600"]})
    subprocess.run([*in_network, "add", f"{METADATA}/32", "dev", "lo"], check=True)
    with listeners.network_of(pid):
        service = socket.socket()
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        api.start(neighbour)
        service.bind((METADATA, 80))
        service.listen()
        resolver.bind((gateway, 53))
        threading.Thread(target=_answer, args=(resolver,), daemon=True).start()
        yield gateway
    finally:
        service.close()
        # close() alone would leave the reader, and with it the port.
        with contextlib.suppress(OSError):
            resolver.shutdown(socket.SHUT_RD)
        resolver.close()
        subprocess.run([*in_network, "del", f"{METADATA}/32", "dev", "lo"], check=True)
        api.remove(neighbour)


def _answer(resolver: socket.socket) -> None:
    """Say of each name that there is no such one."""
    while True:
        try:
            query, client = resolver.recvfrom(512)
        except OSError:
            return
        if not query:
            return
        resolver.sendto(query[:2] + b"\x81\x83" + query[4:], client)


def test_an_open_network_is_found_where_it_is_not_declared(
    api: Engine,
    host_facts: HostFacts,
    tmp_path: Path,
    busybox_image: str,
    runtime: str,
    world_outside: str,
) -> None:
    folder = make_project(tmp_path / "ws", busybox_image, runtime, "agent")
    opened = host_config(NetworkMode="bridge", Dns=[world_outside])
    ways = {"cloud-metadata", "dns-egress", "container-peer", "host-gateway"}
    ways |= {"host-addresses", "host-datagram", "host-by-device", "host-by-interface"}
    if runtime == "runc":
        # gVisor's own raw sockets are closed to a user without a capability.
        ways.add("icmp")
    assert escaped(attack(api, folder, host_facts, opened, needed=ways)) == ways
    assert escaped(attack(api, folder, host_facts)) == set()
    # `dev` has that network and says so.
    folder = make_project(tmp_path / "dev", busybox_image, runtime, "dev")
    for _ in range(3):
        verdict = attack(api, folder, host_facts, opened)
        residual = {result.id for result in verdict.of("residual")}
        if ways <= residual:
            break
    assert escaped(verdict) == set()
    assert ways <= residual


def test_an_editor_s_socket_is_found_where_no_editor_belongs(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    path = tmp_path / "editor.sock"
    with socket.socket(socket.AF_UNIX) as editor:
        editor.bind(str(path))
        editor.listen()
        path.chmod(0o777)
        folder = make_project(tmp_path / "ws", busybox_image, "runc", "agent")
        mounted = bind(path, "/tmp/vscode-ipc-1.sock")
        sockets = {"editor-socket", "host-socket"}
        attempts = escaped(attack(api, folder, host_facts, mounted, needed=sockets))
    assert attempts >= sockets
    assert attempts <= {"editor-socket", "host-socket", "writable-mount"}


def test_a_mounted_secret_is_found(
    api: Engine, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    secret = tmp_path / "token"
    secret.write_text("a token\n")
    folder = make_project(tmp_path / "ws", busybox_image, "runc", "agent")
    mounted = bind(secret, "/run/secrets/token", read_only=True)
    verdict = attack(api, folder, host_facts, mounted)
    assert escaped(verdict) == {"secret-mount"}
    assert f"`{secret}`" in verdict.of("escaped")[0].evidence

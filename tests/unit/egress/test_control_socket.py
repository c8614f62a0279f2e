"""The gateway's control socket: commands from each end, events to all, and the program that joins one."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.egress.gateway import control_relay, control_socket
from sandboxd.egress.gateway.control_socket import ControlSocket
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> str:
    """One of its own: the tests are in one network namespace."""
    name = f"\0sandboxd-test-{os.urandom(6).hex()}"
    monkeypatch.setattr(control_socket, "ADDRESS", name)
    return name


@pytest.fixture
def commands() -> list[bytes | None]:
    return []


async def until(commands: list[bytes | None], count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(commands) < count:
            await asyncio.sleep(0.01)


def test_each_end_commands_and_hears_all(address: str, commands: list[bytes | None]) -> None:
    async def talk() -> list[bytes]:
        control = ControlSocket(asyncio.get_running_loop(), commands.append)
        await control.serve()
        ends = [await asyncio.open_unix_connection(address) for _ in range(2)]
        for number, (_, writer) in enumerate(ends):
            # In two pieces, as an engine may pass it on.
            writer.write(b"comm")
            await writer.drain()
            writer.write(b"and %d\n" % number)
            await until(commands, number + 1)
        control.write(b"event\n")
        return [await reader.readline() for reader, _ in ends]

    assert asyncio.run(talk()) == [b"event\n", b"event\n"]
    assert commands == [b"command 0", b"command 1"]


def test_who_does_not_read_is_cut_off_and_nobody_waits(
    address: str, commands: list[bytes | None]
) -> None:
    async def talk() -> bytes:
        control = ControlSocket(asyncio.get_running_loop(), commands.append)
        await control.serve()
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(address)
            deaf.sendall(b"hello\n")
            await until(commands, 1)
            for _ in range(64):
                control.write(b"x" * (1 << 16))
            reader, writer = await asyncio.open_unix_connection(address)
            writer.write(b"hello\n")
            await until(commands, 2)
            control.write(b"event\n")
            return await reader.readline()

    assert asyncio.run(talk()) == b"event\n"


@pytest.fixture
def listener(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        listener.settimeout(PATIENCE)
        yield listener


def test_the_relay_joins_it_to_input_and_output(address: str, listener: socket.socket) -> None:
    program = (
        "from sandboxd.egress.gateway import control_relay as r; "
        f"r.ADDRESS = {address!r}; r.relay()"
    )
    assert control_relay.ADDRESS.startswith("\0"), "no file of the gateway, which has none to write"
    relay = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert relay.stdin is not None and relay.stdout is not None
    with relay:
        gateway, _ = listener.accept()
        with gateway:
            gateway.settimeout(PATIENCE)
            relay.stdin.write(b"command\n")
            relay.stdin.flush()
            assert gateway.recv(100) == b"command\n"
            gateway.sendall(b"event\n")
            assert relay.stdout.readline() == b"event\n"
            # Who leaves takes nobody else with it.
            relay.stdin.close()
            assert gateway.recv(100) == b""
        assert relay.wait(PATIENCE) == 0

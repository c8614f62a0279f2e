"""An internet for a private engine: a name server and a web server in a network namespace behind it.

Nothing of the machine's own network is used: the engine's only way out leads there.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.verify import listeners
from tests.patience import PATIENCE

ADDRESS = "45.45.45.1"
"""Public, so that a gateway dials it; nobody's machine is there."""
ENGINE = "45.45.45.2"
"""The engine's own address on that wire."""

_PLUMBING = f"""
ip link add wire0 type veth peer name wire1 netns {{pid}}
ip address add {ENGINE}/24 dev wire0
ip link set wire0 up
ip route replace default via {ADDRESS}
nsenter -t {{pid}} -n sh -c 'ip link set lo up; ip address add {ADDRESS}/24 dev wire1; ip link set wire1 up'
"""


class Outside(NamedTuple):
    """`names` are those that resolve; `asked` what the name server was asked; `pid` is a process there.

    `heard` is what the web server was told, as far as it listened before it answered.
    """

    names: set[str]
    asked: list[str]
    pid: int
    heard: list[str]


@contextlib.contextmanager
def outside(engine_pid: int) -> Iterator[Outside]:
    """The internet of the engine whose process is `engine_pid`, while the block runs."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; read wait"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        script = _PLUMBING.format(pid=holder.pid)
        nsenter = ["nsenter", "-t", str(engine_pid), "-n", "sh", "-ec", script]
        subprocess.run(nsenter, check=True)
        with listeners.network_of(holder.pid):
            web, names = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        served = Outside(set(), [], holder.pid, [])
        try:
            web.bind((ADDRESS, 80))
            web.listen()
            names.bind((ADDRESS, 53))
            for job, argument in ((_serve_web, web), (_serve_names, names)):
                threading.Thread(target=job, args=(argument, served), daemon=True).start()
            yield served
        finally:
            for connection in (web, names):
                # Else whoever waits there keeps the port.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            subprocess.run(
                ["nsenter", "-t", str(engine_pid), "-n", "ip", "link", "del", "wire0"], check=False
            )
            assert holder.stdin is not None
            holder.stdin.close()


def _serve_web(listener: socket.socket, served: Outside) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, served), daemon=True).start()


def _answer(connection: socket.socket, served: Outside) -> None:
    with connection, contextlib.suppress(OSError):
        connection.settimeout(PATIENCE)
        request = connection.recv(4096).decode("latin-1")
        served.heard.append(request)
        host = next((x[6:] for x in request.split("\r\n") if x.lower().startswith("host: ")), "?")
        body = f"outside for {host}\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)


def _serve_names(listener: socket.socket, served: Outside) -> None:
    while True:
        try:
            packet, sender = listener.recvfrom(4096)
        except OSError:
            return
        if not packet:
            return
        listener.sendto(_reply(packet, served), sender)


def _reply(packet: bytes, served: Outside) -> bytes:
    """Each name that is there has `ADDRESS`; no other record of it exists (RFC 1035, section 4.1)."""
    labels, end = [], 12
    while packet[end]:
        labels.append(packet[end + 1 : end + 1 + packet[end]].decode("ascii"))
        end += 1 + packet[end]
    name, kind = ".".join(labels).lower(), int.from_bytes(packet[end + 1 : end + 3], "big")
    served.asked.append(name)
    there = name in served.names
    answers = 1 if there and kind == 1 else 0
    flags = b"\x81\x80" if there else b"\x81\x83"
    head = packet[:2] + flags + b"\0\1" + answers.to_bytes(2, "big") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(ADDRESS)
    return head + packet[12 : end + 5] + record * answers

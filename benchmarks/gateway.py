#!/usr/bin/env python3
"""What a way through the gateway costs, beside the same way without it. Needs root, and no network.

    benchmarks/gateway.py [--rounds N] [--megabytes N] [--strict] [--json]

The gateway's own program runs between network namespaces as the tests make them; clients and servers
are processes of their own. `without` is one wire from client to server. Read the ratios and the
processor time: a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from rows import Row, as_json, table

from sandboxd.egress.gateway import dns
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.egress.wire import policy_to_json
from tests.integration.egress.internet import NameServer, echo, sink, source
from tests.integration.egress.namespaces import INTERNET, PLACE, CannotMake, Namespaces
from tests.integration.egress.program import Event, Program

ECHO, SOURCE, SINK, HTTP = 7, 9000, 9001, 80
NAME = "open.example"
RULE = Rule(pattern(NAME), (ECHO, SOURCE, SINK, HTTP, 443))
_MANY, _RELOADS = 1000, 20
Send = Callable[[socket.socket, int], None]
_FORK = multiprocessing.get_context("fork")
_SIZE = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=300, help="connections of each kind")
    parser.add_argument("--megabytes", type=int, default=2000, help="of each stream")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a budget is not kept")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        namespaces = Namespaces()
    except CannotMake as error:
        sys.exit(f"error: no network namespaces can be made here: {error}")
    try:
        with internet(namespaces), tempfile.TemporaryDirectory() as folder:
            program = Program(namespaces, Path(folder))
            try:
                rows = measure(namespaces, program, max(args.rounds, 10), args.megabytes)
            finally:
                program.close()
    finally:
        namespaces.close()
    print(as_json(rows) if args.json else table(rows))
    over = [row for row in rows if row.verdict in ("OVER", "not measured")]
    return 1 if over and args.strict else 0


@contextmanager
def internet(namespaces: Namespaces) -> Iterator[None]:
    """Servers in a process of their own, with a thread for each connection."""
    ready = _FORK.Event()
    process = _FORK.Process(target=serve, args=(namespaces, ready), daemon=True)
    process.start()
    ready.wait()
    try:
        yield
    finally:
        process.kill()
        process.join()


def serve(namespaces: Namespaces, ready: Any) -> None:
    NameServer(namespaces).records = {NAME: [INTERNET]}
    for port, use in ((ECHO, echo), (SOURCE, source), (SINK, sink), (HTTP, http_source)):
        listener = namespaces.listener(INTERNET, port)
        threading.Thread(target=_accept, args=(listener, use), daemon=True).start()
    threading.stack_size(1 << 17)
    ready.set()
    threading.Event().wait()


def _accept(listener: socket.socket, use: Callable[[socket.socket], None]) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_use, args=(client, use), daemon=True).start()


def _use(client: socket.socket, use: Callable[[socket.socket], None]) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client:
        try:
            use(client)
        except OSError:
            return


def http_source(client: socket.socket) -> None:
    """Sends as many bytes as the path says."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(4096)
    left = int(head.split()[1][1:])
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
    data = bytes(_SIZE)
    while left > 0:
        left -= client.send(data[: min(left, _SIZE)])


class Ways:
    """How a client gets to a port of the internet."""

    def __init__(self, namespaces: Namespaces, address: str) -> None:
        self._namespaces, self._address = namespaces, address

    def without(self, port: int) -> socket.socket:
        return self._dial(self._namespaces.gateway, INTERNET, port)

    def direct(self, port: int) -> socket.socket:
        return self._dial(self._namespaces.workspace, self._address, port)

    def connect(self, port: int) -> socket.socket:
        sock = self._dial(self._namespaces.workspace, PLACE.gateway, 3128)
        sock.sendall(f"CONNECT {NAME}:{port} HTTP/1.1\r\nHost: {NAME}:{port}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        return sock

    def socks(self, port: int) -> socket.socket:
        sock = self._dial(self._namespaces.workspace, PLACE.gateway, 1080)
        name = NAME.encode()
        sock.sendall(b"\5\1\0\5\1\0\3" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
        data = b""
        while len(data) < 12:
            data += sock.recv(12 - len(data))
        return sock

    def _dial(self, name: str, address: str, port: int) -> socket.socket:
        sock = self._namespaces.new_socket(name)
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


def measure(namespaces: Namespaces, program: Program, rounds: int, megabytes: int) -> list[Row]:
    rows = [Row("start to `ready`, its own part", program.ready["milliseconds"], "ms", None, "")]
    program.set(Policy(rules=(RULE,)))
    address = lookup(namespaces)
    ways = Ways(namespaces, address)
    rows += connections(ways, rounds)
    rows += streams(ways, program, megabytes)
    rows.append(memory(ways, program))
    rows += reload(ways, program)
    rows += flood(namespaces, ways, program)
    return rows


def lookup(namespaces: Namespaces) -> str:
    with namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp:
        udp.sendto(dns.query(1, NAME, dns.A), (PLACE.gateway, 53))
        return socket.inet_ntoa(udp.recv(512)[-4:])


def connections(ways: Ways, rounds: int) -> list[Row]:
    """A connection and one byte there and back, in turn by each way."""
    times: dict[str, list[float]] = {"without": [], "direct": [], "connect": [], "socks": []}
    for _ in range(rounds):
        for way, seconds in times.items():
            began = time.perf_counter()
            with getattr(ways, way)(ECHO) as sock:
                sock.sendall(b"x")
                sock.recv(1)
                seconds.append(time.perf_counter() - began)
    middle = {way: 1000 * statistics.median(seconds) for way, seconds in times.items()}
    rows = [Row("connect and echo, without", middle["without"], "ms", None, "")]
    for way in ("direct", "connect", "socks"):
        more = middle[way] - middle["without"]
        rows.append(
            Row(f"  more by `{way}`", more, "ms", 0.5, f"{middle[way] / middle['without']:.1f} x")
        )
    return rows


def streams(ways: Ways, program: Program, megabytes: int) -> list[Row]:
    size = megabytes << 20
    rows = []
    for what, send in (("down", down), ("up", up)):
        speeds = {}
        for way in ("without", "direct", "connect"):
            before = processor(program)
            speeds[way] = in_process(send, ways, way, size)
            used = (processor(program) - before) / (size / 1e9)
            if way != "without":
                detail = f"{speeds[way] / 1e9:.2f} GB/s, without {speeds['without'] / 1e9:.2f}"
                rows.append(
                    Row(f"{what} by `{way}`, a gigabyte", used, "s of processor", 0.6, detail)
                )
    before = processor(program)
    speed = in_process(http_down, ways, "direct", size)
    used = (processor(program) - before) / (size / 1e9)
    rows.append(
        Row(
            "down by HTTP on port 80, a gigabyte",
            used,
            "s of processor",
            None,
            f"{speed / 1e9:.2f} GB/s",
        )
    )
    return rows


def in_process(send: Send, ways: Ways, way: str, size: int) -> float:
    """Bytes a second of a client in a process of its own."""
    ports: dict[Send, int] = {down: SOURCE, up: SINK, http_down: HTTP}
    port = ports[send]
    result = _FORK.SimpleQueue()

    def run() -> None:
        with getattr(ways, way)(port) as sock:
            began = time.perf_counter()
            send(sock, size)
            result.put(size / (time.perf_counter() - began))

    process = _FORK.Process(target=run)
    process.start()
    speed: float = result.get()
    process.join()
    return speed


def down(sock: socket.socket, size: int) -> None:
    sock.sendall(b"%d" % size)
    receive(sock, size)


def http_down(sock: socket.socket, size: int) -> None:
    sock.sendall(f"GET /{size} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    receive(sock, size)


def up(sock: socket.socket, size: int) -> None:
    data, left = bytes(_SIZE), size
    while left > 0:
        left -= sock.send(data[: min(left, _SIZE)])
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(100):
        pass


def receive(sock: socket.socket, size: int) -> None:
    buffer = bytearray(_SIZE)
    count = 0
    while count < size and (more := sock.recv_into(buffer)):
        count += more


def memory(ways: Ways, program: Program) -> Row:
    """What open connections add, each having carried a kilobyte both ways."""
    before = resident(program)
    socks = [ways.direct(ECHO) for _ in range(_MANY)]
    for sock in socks:
        sock.sendall(b"y" * 1000)
    for sock in socks:
        count = 0
        while count < 1000:
            count += len(sock.recv(1000))
    after = resident(program)
    for sock in socks:
        sock.close()
    detail = f"{after} KiB in all"
    return Row(f"{_MANY} open connections", (after - before) / 1024, "MiB more", 12, detail)


def reload(ways: Ways, program: Program) -> list[Row]:
    """A policy of thousands of rules, from the command to the answer, beside an open connection."""
    many = tuple(Rule(pattern(f"host{number}.example"), (443,)) for number in range(2000))
    times, used = [], processor(program)
    with ways.direct(ECHO) as sock:
        for version in range(1000, 1000 + _RELOADS):
            policy = policy_to_json(Policy(version, (RULE, *many)))
            line = json.dumps({"op": "policy", "policy": policy, "cut": False}).encode()
            after, began = program.last, time.perf_counter()
            program.send_line(line)
            assert program.wait(is_answer, after)["version"] == version
            times.append(1000 * (time.perf_counter() - began))
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
    processor_time = 1000 * (processor(program) - used) / _RELOADS
    return [
        Row("policy of 2,000 rules, until in force", statistics.median(times), "ms", 50, ""),
        Row("  processor time of that", processor_time, "ms", None, ""),
    ]


def is_answer(event: Event) -> bool:
    return event["event"] in ("policy", "refused")


def flood(namespaces: Namespaces, ways: Ways, program: Program) -> list[Row]:
    """Echoes by an open connection, alone and while denied names are looked up as fast as can be."""
    stop = _FORK.Event()

    def ask() -> None:
        with namespaces.new_socket(namespaces.workspace, socket.SOCK_DGRAM) as udp:
            udp.connect((PLACE.gateway, 53))
            udp.setblocking(False)
            packets = [dns.query(n, f"n{n}.denied.example", dns.A) for n in range(5000)]
            while not stop.is_set():
                for packet in packets:
                    try:
                        udp.send(packet)
                    except OSError:
                        continue

    before = resident(program)
    alone = echoes(ways)
    process = _FORK.Process(target=ask, daemon=True)
    process.start()
    time.sleep(0.5)
    used = processor(program)
    began = time.perf_counter()
    flooded = echoes(ways, 3000)
    share = (processor(program) - used) / (time.perf_counter() - began)
    stop.set()
    process.join()
    grown = (resident(program) - before) / 1024
    detail = f"alone {alone:.2f} ms; {share:.0%} of a core"
    return [
        Row("echo in a flood of denied names", flooded, "ms", None, detail),
        Row("  memory that it adds", grown, "MiB", 4, ""),
    ]


def echoes(ways: Ways, count: int = 1000) -> float:
    times = []
    with ways.direct(ECHO) as sock:
        for _ in range(count):
            began = time.perf_counter()
            sock.sendall(b"x")
            sock.recv(1)
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def processor(program: Program) -> float:
    """Seconds that the gateway has used."""
    fields = Path(f"/proc/{program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(program: Program) -> int:
    """KiB of memory that it holds."""
    return int(program.status()["VmRSS"].split()[0])


if __name__ == "__main__":
    sys.exit(main())

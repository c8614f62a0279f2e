"""A known number of bytes that leaves a live sandbox is the number that `egress log`, `status` and the record name."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from sandboxd.verify import listeners
from tests.e2e import outside
from tests.e2e.outside import Outside
from tests.e2e.test_egress_commands import (
    Person,
    busybox_image,
    engine,
    host_facts,
    internet,
    nothing_is_left,
    page,
    person,
    pytest_generate_tests,
    runtime,
)
from tests.patience import PATIENCE, eventually

__all__ = [
    "busybox_image",
    "engine",
    "host_facts",
    "internet",
    "nothing_is_left",
    "person",
    "pytest_generate_tests",
    "runtime",
]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAME, OTHER = "evil.test", "later.test"
SIZE = 1_300_000
HEADS = 1024
"""More than the heads of one request or answer of plain HTTP, in bytes."""


class Sink:
    """A server at port 443 of the test's internet: it counts what arrives, and then says how much that was."""

    def __init__(self, listener: socket.socket) -> None:
        self.arrived: list[int] = []
        self._listener = listener
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._count(self._listener.accept()[0])

    def _count(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            size = 0
            while data := connection.recv(1 << 16):
                size += len(data)
            connection.sendall(b"%d\n" % size)
            self.arrived.append(size)


@pytest.fixture
def sink(internet: Outside) -> Iterator[Sink]:
    with listeners.network_of(internet.pid):
        listener = socket.create_server((outside.ADDRESS, 443))
    yield Sink(listener)
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def carried(person: Person) -> dict[str, tuple[int, int]]:
    """The bytes up and down by name."""
    told = person.log()["carried"]
    return {each["name"]: (each["bytes_up"], each["bytes_down"]) for each in told}


def test_an_upload_of_a_known_size_is_the_number_that_is_shown(person: Person, sink: Sink) -> None:
    assert carried(person) == {}
    for name in (NAME, OTHER):
        person.must("egress", "allow", name, "--for", "1h")
    # Busybox's `nc` ends its half of the connection with its input, and then hears the answer.
    said = person.inside(f"head -c {SIZE} /dev/zero | nc -w 60 {NAME} 443")
    assert (said, sink.arrived) == (f"{SIZE}\n", [SIZE])
    assert person.inside(page(OTHER)) == f"outside for {OTHER}\n"

    # A daemon is told a second later.
    eventually(lambda: {NAME, OTHER} <= carried(person).keys(), lambda: carried(person))
    counted = carried(person)
    assert counted[NAME] == (SIZE, len(f"{SIZE}\n"))
    body = len(f"outside for {OTHER}\n")
    assert 0 < counted[OTHER][0] < HEADS and body < counted[OTHER][1] < body + HEADS

    shown = person.must("egress", "log").stdout
    assert f"carried   {NAME}: sent 1.2 MiB, received 8 B" in shown
    status = person.must("status", "--long").stdout
    assert re.search(rf"sent +1\.2 MiB to 2 names, most to `{re.escape(NAME)}`", status), status

    person.must("down", "--discard")
    entries = [json.loads(line) for line in person.must("audit", "--json").stdout.splitlines()]
    (network,) = [entry["facts"] for entry in entries if entry["kind"] == "network"]
    up, down = (sum(each[way] for each in counted.values()) for way in (0, 1))
    assert network["carried"] == {"bytes_up": up, "bytes_down": down}

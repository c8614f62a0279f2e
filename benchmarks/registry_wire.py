"""The way of a private engine, which has no network, to package registries: by their names, and no further.

The engine's name server gives all of them one public address, which gateways dial as any other; behind it each
connection goes on to the host that its TLS hello names, dialled as this machine dials it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

from sandboxd.egress.gateway.client_hello import BadHello, HelloReader
from sandboxd.verify import listeners
from tests.e2e import outside
from tests.integration.egress.company import exchange

NAME_SERVER = outside.ADDRESS
"""For dockerd's `--dns`."""
_SECONDS_TO_ANSWER = 30.0
_BYTES = 1 << 16


@contextlib.contextmanager
def wire(engine_pid: int, names: Sequence[str]) -> Iterator[None]:
    """While the block runs, `names` lead from the engine to these hosts' port 443.

    :raises OSError: the network of the engine cannot be entered
    """
    with outside.outside(engine_pid) as served:
        served.names.update(names)
        with listeners.network_of(served.pid):
            listener = socket.socket()
        listener.bind((outside.ADDRESS, 443))
        listener.listen(64)
        thread = threading.Thread(target=_accept, args=(listener, frozenset(names)), daemon=True)
        thread.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def _accept(listener: socket.socket, names: frozenset[str]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, names), daemon=True).start()


def _relay(client: socket.socket, names: frozenset[str]) -> None:
    with client, contextlib.suppress(OSError, BadHello):
        client.settimeout(_SECONDS_TO_ANSWER)
        first, hello = b"", None
        reader = HelloReader()
        while hello is None:
            data = client.recv(_BYTES)
            if not data:
                return
            first += data
            hello = reader.feed(data)
        if hello.server_name not in names:
            return
        with socket.create_connection((hello.server_name, 443), _SECONDS_TO_ANSWER) as server:
            server.sendall(first)
            for each in (client, server):
                each.settimeout(None)
            exchange(client, server)

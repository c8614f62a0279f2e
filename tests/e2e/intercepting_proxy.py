"""A company's proxy that opens TLS: it answers in the place of each server, by an authority of the company's own."""

from __future__ import annotations

import functools
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandboxd.verify import listeners
from tests import certificates
from tests.e2e import outside

PORT = 3128


def authority(folder: Path, host: str) -> None:
    """`ca.pem`, the company's, and what it vouches for as `host`: `leaf.pem`, `leaf.key`."""
    certificates.self_signed(folder, "a company", key="ca.key", certificate="ca.pem")
    name = f"subjectAltName=DNS:{host}"
    certificates.signed(folder, host, name, key="leaf.key", certificate="leaf.pem")


@contextmanager
def served(pid: int, site: Path, secrets: Path) -> Iterator[list[str]]:
    """The proxy in the network of the process `pid`, answering with the files of `site`, while the block runs.

    :returns: the names and ports that it is asked for
    """
    asked: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secrets / "leaf.pem", secrets / "leaf.key")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_response_only(200)
            self.end_headers()
            self.close_connection = True
            try:
                with context.wrap_socket(self.connection, server_side=True) as opened:
                    answer(opened, self.client_address, self.server)
            except OSError:
                return  # whoever does not trust it goes away

        def log_message(self, *_: object) -> None:
            pass

    answer = functools.partial(Handler, directory=str(site))
    with listeners.network_of(pid):
        server = http.server.ThreadingHTTPServer((outside.ADDRESS, PORT), answer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()

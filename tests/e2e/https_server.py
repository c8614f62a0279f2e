"""A server for HTTPS at the address of the test's own internet."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandboxd.verify import listeners
from tests.e2e import outside


def serve(
    pid: int, handler: Callable[..., Any], certificate: Path, key: Path
) -> http.server.ThreadingHTTPServer:
    """Serve in the network of the process `pid` until the server is shut down.

    A handshake is that of the connection's own thread: one that hangs keeps nobody else waiting.
    """
    with listeners.network_of(pid):
        server = http.server.ThreadingHTTPServer((outside.ADDRESS, 443), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server

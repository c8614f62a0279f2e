"""An API server that runs the commands of `exec` on this machine, and whose connections can break."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tests.certificates import self_signed
from tests.e2e.docker_cluster.websocket import WebSocket, accept_key

_PROTOCOL = "v5.channel.k8s.io"


class ExecServer:
    """Listens on loopback by TLS until `close`."""

    def __init__(self, folder: Path) -> None:
        self.breaks: list[int] = []
        """After how many bytes of input the connections of the next commands break."""
        self_signed(folder, "127.0.0.1", "localhost", key="key.pem", certificate="certificate.pem")
        self.certificate = str(folder / "certificate.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{listener.getsockname()[1]}"
        handler = type("Handler", (_Handler,), {"breaks": self.breaks})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(
            listener, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    breaks: list[int]

    def do_GET(self) -> None:
        words = [value for name, value in parse_qsl(urlsplit(self.path).query) if name == "command"]
        self.send_response(101)
        for name, value in (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"])),
            ("Sec-WebSocket-Protocol", _PROTOCOL),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        assert isinstance(self.connection, ssl.SSLSocket)
        peer = WebSocket(self.connection)
        if self.breaks:
            peer.break_after(self.breaks.pop(0))
        with contextlib.suppress(OSError):
            _run(words, peer)

    def log_message(self, *_: object) -> None:
        pass


def _run(words: list[str], peer: WebSocket) -> None:
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    assert process.stdin is not None and process.stdout is not None
    channel = process.stdin

    def feed() -> None:
        with contextlib.suppress(OSError):
            while message := peer.receive():
                if message[0] == 0:
                    left = memoryview(message)[1:]
                    while left:
                        left = left[channel.write(left) :]
        with contextlib.suppress(OSError):
            channel.close()

    threading.Thread(target=feed, daemon=True).start()
    with process:
        while piece := process.stdout.read(1 << 16):
            peer.send(b"\x01" + piece)
        peer.send(b"\x03" + json.dumps(_status(process.wait())).encode())
        peer.close()


def _status(code: int) -> dict[str, object]:
    if not code:
        return {"status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}

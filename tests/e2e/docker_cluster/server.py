"""The API server on the wire: TLS, tokens, JSON, watches and streams."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from tests.e2e.docker_cluster import streams
from tests.e2e.docker_cluster.api import Api
from tests.e2e.docker_cluster.failures import Refused, status
from tests.e2e.docker_cluster.node import Node
from tests.e2e.docker_cluster.resources import Place
from tests.e2e.docker_cluster.store import selector
from tests.e2e.docker_cluster.websocket import WebSocket, accept_key

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Server:
    """Serves `api` on each listener that it is given, until `close`; `stop` and `start` are a restart."""

    def __init__(self, api: Api, node: Node, certificate: Path, key: Path) -> None:
        self.api, self.node = api, node
        self.tokens = {"the-token"}
        """Those that are let in."""
        self.protocols = [streams.V5, streams.V4]
        """Of `exec`, the newest first: a server before 1.30 has the older alone."""
        self.breaks: list[int] = []
        """After how many bytes of input the connections of the next commands break that have any."""
        self.commands: list[list[str]] = []
        """The words of each request for a command in a Pod, as an audit log has them."""
        self.cut = threading.Event()
        """Set when the cluster is closed: what hangs ends."""
        self.connections: set[socket.socket] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._servers: list[ThreadingHTTPServer] = []
        self._stopped: list[tuple[str, int]] = []

    def present(self, certificate: Path, key: Path) -> None:
        """Show another certificate from now on."""
        self._context.load_cert_chain(certificate, key)

    def stop(self) -> None:
        """Refuse connections and cut those that are open, as while a real one is started again."""
        first = self._servers.pop(0)
        self._stopped.append(first.socket.getsockname())
        first.shutdown()
        first.socket.close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def start(self) -> None:
        """Serve again where `stop` ended it."""
        self.listen(socket.create_server(self._stopped.pop()))

    def run(self, command: streams.Command, peer: WebSocket, protocol: str) -> None:
        """Run a command in a container, for the peer of a connection."""
        with contextlib.closing(self.node.api()) as engine:
            streams.run(engine, command, peer, protocol)

    def show_log(
        self, container: str, query: dict[str, str], write: Callable[[bytes], None]
    ) -> None:
        """Write what the main process of a container wrote."""
        with contextlib.closing(self.node.api()) as engine:
            streams.log(engine, container, query, write)

    def listen(self, listener: socket.socket) -> None:
        handler = type("Handler", (_Handler,), {"cluster": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        server.socket.close()
        server.daemon_threads = True
        # A handshake is that of the connection's own thread.
        server.socket = self._context.wrap_socket(
            listener, server_side=True, do_handshake_on_connect=False
        )
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.cut.set()
        for server in self._servers:
            server.shutdown()
            server.socket.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Server

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        ahead = self.cluster.api.store.seconds_ahead
        return super().date_time_string(int((timestamp or time.time()) + ahead))

    def handle(self) -> None:
        self.cluster.connections.add(self.connection)
        # A client that is gone, or that does not trust the certificate, is nobody's fault here.
        with contextlib.suppress(OSError):
            super().handle()
        self.cluster.connections.discard(self.connection)

    def _any(self) -> None:
        url = urlsplit(self.path)
        # `command` of exec is there once for each word.
        pairs = parse_qsl(url.query, keep_blank_values=True)
        body = self._body()
        try:
            self._authenticate()
            found = self.cluster.api.kinds.discovery(url.path) if self.command == "GET" else None
            if found is not None:
                self._send(200, found)
            else:
                self._serve(self.cluster.api.kinds.place(url.path), pairs, body)
        except Refused as refused:
            self._send(refused.code, refused.status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _authenticate(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if given not in self.cluster.tokens:
            raise Refused(401, "Unauthorized")

    def _serve(self, place: Place, pairs: list[tuple[str, str]], body: bytes) -> None:
        query, api = dict(pairs), self.cluster.api
        verb = _VERBS.get(self.command, "get" if place.name else "list")
        if query.get("watch") in ("true", "1"):
            verb = "watch"
        if self.command == "DELETE" and not place.name:
            verb = "deletecollection"
        if place.below in ("exec", "log"):
            # The API counts an upgrade by GET as `create` for those who ask by POST, and both as `get` or `create`.
            verb = "create" if place.below == "exec" else "get"
        fault = api.check(verb, place)
        if fault is not None and self._fail(fault.code, fault.message, fault.reason, fault.headers):
            return
        if place.below == "exec":
            self._exec(place, pairs)
        elif place.below == "log":
            self._log(place, query)
        elif verb == "watch":
            self._watch(place, query)
        else:
            self._send(*self._act(verb, place, query, body))

    def _fail(self, code: int, message: str, reason: str, headers: dict[str, str]) -> bool:
        if code > 0:
            self._send(code, status(code, message, reason), **headers)
            return True
        if code < 0:
            self.cluster.cut.wait()
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        return True

    def _act(
        self, verb: str, place: Place, query: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        api = self.cluster.api
        if verb == "get":
            return 200, api.read(place)
        if verb == "list":
            return 200, api.list(place, query)
        if verb == "patch":
            return api.patch(place, self.headers["Content-Type"].partition(";")[0], body, query)
        if "protobuf" in self.headers.get("Content-Type", ""):
            raise Refused(415, "this server speaks JSON and YAML alone")
        value = _read(body)
        if verb == "create":
            return 201, api.create(place, value, "dryRun" in query)
        if verb == "update":
            return 200, api.replace(place, value)
        if verb == "delete":
            return 200, api.delete(place, value | _grace(query))
        return 200, api.delete_all(place, query, value | _grace(query))

    def _send(self, code: int, value: dict[str, Any], **headers: str) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def _chunks(self, kind: str) -> Callable[[bytes], None]:
        """Start an answer of unknown length; returns what writes a part of it, b'' for the end."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

        def write(data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        return write

    def _watch(self, place: Place, query: dict[str, str]) -> None:
        store, kind = self.cluster.api.store, place.resource.kind
        fields = query.get("fieldSelector", "")
        if place.name:
            fields = f"metadata.name={place.name}"
        test = selector(query.get("labelSelector", ""), fields)
        until = time.monotonic() + float(query.get("timeoutSeconds", 1800))
        since = query.get("resourceVersion", "")
        write = self._chunks("application/json")
        changes: list[tuple[str, dict[str, Any]]] = []
        if since in ("", "0"):
            listed, since = store.listed(kind, place.namespace, test)
            changes = [("ADDED", value) for value in listed]
        try:
            for change, value in changes:
                write(_line(change, value))
            for change, value in store.watch(kind, place.namespace, test, int(since), until):
                write(_line(change, value))
        except Refused as refused:
            write(_line("ERROR", refused.status))
        write(b"")

    def _container(self, place: Place) -> str:
        pod = self.cluster.api.read(place._replace(below=""))
        container = self.cluster.node.container_of(pod["metadata"]["uid"])
        if not container:
            name = pod["spec"]["containers"][0]["name"]
            raise Refused(400, f'container "{name}" in pod "{place.name}" is waiting to start: ContainerCreating')  # fmt: skip
        return container

    def _log(self, place: Place, query: dict[str, str]) -> None:
        container = self._container(place)
        write = self._chunks("text/plain")
        self.cluster.show_log(container, query, write)
        write(b"")

    def _exec(self, place: Place, pairs: list[tuple[str, str]]) -> None:
        query = dict(pairs)
        container = self._container(place)
        if self.headers.get("Upgrade", "").lower() != "websocket":
            raise Refused(400, "you must specify at least 1 of stdin, stdout, stderr; this server speaks WebSocket")  # fmt: skip
        offered = re.split(r",\s*", self.headers.get("Sec-WebSocket-Protocol", ""))
        protocol = next((each for each in self.cluster.protocols if each in offered), "")
        if not protocol:
            # In plain text: golang.org/x/net/websocket, by which the API server shakes hands, knows no `Status`.
            text = b"requested protocol(s) are not supported"
            self.send_response(403)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", protocol)
        self.end_headers()
        self.close_connection = True
        assert isinstance(self.connection, ssl.SSLSocket)
        peer = WebSocket(self.connection)
        words = [value for name, value in pairs if name == "command"]
        self.cluster.commands.append(words)
        wanted = {name: query.get(name) in ("true", "1") for name in ("stdin", "tty")}
        if wanted["stdin"] and self.cluster.breaks:
            peer.break_after(self.cluster.breaks.pop(0))
        command = streams.Command(container, words, wanted["stdin"], wanted["tty"])
        with contextlib.suppress(OSError):
            self.cluster.run(command, peer, protocol)


def _line(change: str, value: dict[str, Any]) -> bytes:
    return json.dumps({"type": change, "object": value}).encode() + b"\n"


def _read(body: bytes) -> dict[str, Any]:
    try:
        value = yaml.safe_load(body) or {}
    except (yaml.YAMLError, UnicodeError) as error:
        raise Refused(400, f"the object provided is unrecognized: {error}") from None
    return value if isinstance(value, dict) else {}


def _grace(query: dict[str, str]) -> dict[str, int]:
    seconds = query.get("gracePeriodSeconds")
    return {"gracePeriodSeconds": int(seconds)} if seconds is not None else {}

"""The smallest client of a language server: enough to open a file and read its diagnostics."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any

_SECONDS = 10.0


class LspClient:
    """Speaks to a language server over its standard input and output."""

    def __init__(self, command: list[str], folder: str, environment: Mapping[str, str]) -> None:
        self._server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._folder = folder
        self._last_id = 0

    def initialize(self) -> dict[str, Any]:
        """The handshake; returns what the server says of itself."""
        uri = f"file://{self._folder}"
        result = self._request(
            "initialize",
            {
                "processId": None,
                "rootUri": uri,
                "workspaceFolders": [{"uri": uri, "name": "demo"}],
                "capabilities": {"textDocument": {"publishDiagnostics": {"versionSupport": True}}},
            },
        )
        self._send({"method": "initialized", "params": {}})
        return result

    def diagnostics(self, path: str, text: str) -> list[dict[str, Any]]:
        """Open `text` as the unsaved content of `path`; what the server publishes for it."""
        uri = f"file://{path}"
        document = {"uri": uri, "languageId": "jsonc", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            message = self._receive()
            published = message.get("params", {})
            if (
                message.get("method") == "textDocument/publishDiagnostics"
                and published["uri"] == uri
                and published.get("version") in (1, None)
            ):
                found: list[dict[str, Any]] = published["diagnostics"]
                return found
        raise TimeoutError(f"no diagnostics within {_SECONDS:.0f} s")

    def close(self) -> int:
        """`shutdown` and `exit`; returns the server's exit code."""
        with contextlib.suppress(OSError, EOFError):
            self._request("shutdown", None)
            self._send({"method": "exit", "params": None})
        try:
            return self._server.wait(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.kill()
            return self._server.wait()

    def _request(self, method: str, params: Any) -> dict[str, Any]:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._last_id and "method" not in message:
                result: dict[str, Any] = message.get("result") or {}
                return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self._server.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        length = 0
        while line := self._server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise EOFError("the language server ended")
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        return message

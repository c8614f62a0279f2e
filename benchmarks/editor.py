"""An editor, as far as a stopwatch needs one."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import Any

LONGEST_SECONDS = 120.0
PUBLISH = "textDocument/publishDiagnostics"


class Editor:
    """A language server over stdio and one open document.

    One that `pulls` asks for diagnostics, others wait for them.
    """

    def __init__(
        self,
        command: list[str],
        environ: dict[str, str],
        uri: str = "file:///benchmark/.devcontainer/devcontainer.json",
        language: str = "jsonc",
        *,
        pulls: bool = False,
    ) -> None:
        self.process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        # A publication that never comes must not hold up the benchmark for ever.
        self._watchdog = threading.Timer(LONGEST_SECONDS, self.process.kill)
        self._watchdog.start()
        self._version = 0
        self._request = 1
        self._language = language
        self._pulls = pulls
        self.uri = uri

    def initialize(self) -> None:
        text: dict[str, Any] = {"publishDiagnostics": {"relatedInformation": True}}
        if self._pulls:
            text["diagnostic"] = {}
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": {
                "textDocument": text,
                "general": {"positionEncodings": ["utf-16"]},
            },
        }
        self._send({"id": 1, "method": "initialize", "params": params})
        while self._receive().get("id") != 1:
            pass
        self._send({"method": "initialized", "params": {}})

    def open(self, text: str) -> None:
        self._version = 1
        item = {"uri": self.uri, "languageId": self._language, "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        self.shown()

    def change(self, text: str) -> int:
        """Send the whole text anew; its version."""
        self._version += 1
        where = {"uri": self.uri, "version": self._version}
        params = {"textDocument": where, "contentChanges": [{"text": text}]}
        self._send({"method": "textDocument/didChange", "params": params})
        return self._version

    def shown(self) -> None:
        """Wait for the next diagnostics of the document, by whichever way; a version may lack."""
        if self._pulls:
            self._request += 1
            params = {"textDocument": {"uri": self.uri}}
            message = {"id": self._request, "method": "textDocument/diagnostic", "params": params}
            self._send(message)
        while True:
            message = self._receive()
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": [None]})
            elif (self._pulls and message.get("id") == self._request) or (
                not self._pulls and self._is_now(message)
            ):
                return

    def _is_now(self, message: dict[str, Any]) -> bool:
        """Whether diagnostics were pushed, and for no earlier version, as far as they say."""
        if message.get("method") != PUBLISH:
            return False
        return bool(message["params"].get("version", self._version) == self._version)

    def wait(self, version: int | None = None) -> int:
        """Publications up to the one of `version` (default: the latest); how many came."""
        wanted = version or self._version
        count = 0
        while True:
            message = self._receive()
            if message.get("method") == PUBLISH:
                count += 1
                if message["params"].get("version") == wanted:
                    return count

    def close(self) -> None:
        self._watchdog.cancel()
        self._send({"id": 2, "method": "shutdown"})
        self._send({"method": "exit"})
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self) -> Any:
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while header := stream.readline():
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
            elif not header.strip():
                return json.loads(stream.read(length))
        raise RuntimeError("the language server ended")


def typing_latencies(editor: Editor, text: str, changes: int) -> list[float]:
    """Milliseconds from a change to its publication, one change at a time."""
    taken = []
    for number in range(changes):
        # Longer than the server waits within a burst: this is the price of a single key.
        time.sleep(0.08)
        begin = time.perf_counter()
        editor.change(text + " " * (number % 2))
        editor.wait()
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def burst(editor: Editor, text: str, keys: int = 30, pause: float = 0.02) -> tuple[int, float]:
    """Publications for a burst of keys, and milliseconds from the last key to the last of them."""
    time.sleep(0.1)
    for number in range(keys):
        editor.change(text + " " * (number % 2))
        time.sleep(pause if number < keys - 1 else 0)
    last = time.perf_counter()
    count = editor.wait()
    return count, (time.perf_counter() - last) * 1000

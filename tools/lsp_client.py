"""A client of a language server: for the demo, the benchmarks and the tests."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Self

PUBLISH = "textDocument/publishDiagnostics"


def frame(message: object) -> bytes:
    """A message with its header, as it goes over the wire."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def read_message(stream: IO[bytes]) -> Any:
    """The next message of a stream, None at its end."""
    length = 0
    while header := stream.readline():
        if header.lower().startswith(b"content-length:"):
            length = int(header.split(b":")[1])
        elif not header.strip():
            return json.loads(stream.read(length))
    return None


class LspClient:
    """Runs a language server on its standard streams; as a context manager, leaves nothing behind."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        folder: str | None = None,
        *,
        reads: bool = True,
    ) -> None:
        """Start the server.

        :param reads: False for a client that leaves what the server writes in the pipe
        """
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.messages: queue.Queue[Any] = queue.Queue()
        """Messages that nobody waited for yet; None is the end of the stream."""
        self.passed: list[Any] = []
        """Messages that `wait` went past, in their order."""
        self.answers: dict[str, Any] = {}
        """Results of what the server may ask, by method; of others None."""
        self._last_id = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reads:
            self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the server at once and close the pipes."""
        self.process.kill()
        self.process.wait()
        if self._reader.is_alive():
            self._reader.join(2)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def send_bytes(self, data: bytes) -> None:
        """Write anything, a message or not."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: object) -> None:
        """Write anything with a header before it."""
        self.send_bytes(frame(message))

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> int:
        """Send a request without waiting for its answer; returns its id."""
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self.send(message)
        return self._last_id

    def request(self, method: str, params: Any = None) -> Any:
        """Send a request; returns the whole answer. Messages that come before it are passed."""
        number = self.ask(method, params)
        return self.wait(lambda message: message.get("id") == number and "method" not in message)

    def wait(self, wanted: Callable[[Any], bool], timeout: float = 60) -> Any:
        """Read up to the first message that `wanted` accepts, answering what the server asks.

        :raises TimeoutError: none came within `timeout` seconds
        :raises EOFError: the server ended
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"the message did not come within {timeout:g} s") from None
            if message is None:
                raise EOFError("the language server ended")
            if "method" in message and "id" in message:
                result = self.answers.get(message["method"])
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            self.passed.append(message)
            if wanted(message):
                return message

    def drain(self) -> list[Any]:
        """All messages so far."""
        while not self.messages.empty():
            self.passed.append(self.messages.get())
        return self.passed

    def published(self, version: int | None = None, uri: str | None = None) -> list[Any]:
        """The diagnostics of the next publication, of that version and document if they are given."""
        message = self.wait(
            lambda message: (
                message.get("method") == PUBLISH
                and version in (None, message["params"].get("version"))
                and uri in (None, message["params"]["uri"])
            )
        )
        diagnostics: list[Any] = message["params"]["diagnostics"]
        return diagnostics

    def initialize(self, capabilities: Any = None, **more: Any) -> Any:
        """The handshake; returns the whole answer."""
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more}
        answer = self.request("initialize", params)
        self.notify("initialized", {})
        return answer

    def open(self, uri: str, text: str, version: int = 1, language: str = "jsonc") -> None:
        """Open a document with unsaved text."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, text: str, version: int) -> None:
        """Replace the whole text of a document."""
        where = {"uri": uri, "version": version}
        changes = [{"text": text}]
        self.notify("textDocument/didChange", {"textDocument": where, "contentChanges": changes})

    def close(self, uri: str) -> None:
        """Close a document."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def shut_down(self, seconds: float = 60) -> int:
        """`shutdown` and `exit`; returns the server's exit code."""
        assert self.request("shutdown")["result"] is None
        self.notify("exit")
        return self.process.wait(seconds)

    def _read(self) -> None:
        assert self.process.stdout is not None
        while (message := read_message(self.process.stdout)) is not None:
            self.messages.put(message)
        self.messages.put(None)

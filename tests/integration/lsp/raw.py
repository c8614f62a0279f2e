"""A client of the language server that may say anything, well-formed or not."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

PUBLISH = "textDocument/publishDiagnostics"


class RawClient:
    """Runs `sandboxd lsp`; use as a context manager, so that nothing is left."""

    def __init__(
        self,
        *more: str,
        environ: dict[str, str] | None = None,
        command: Sequence[str] = ("-P", "-m", "sandboxd", "lsp"),
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        )
        self.messages: queue.Queue[Any] = queue.Queue()
        self.seen: list[Any] = []
        """What came and was waited past."""
        self.answers: dict[str, Any] = {}
        """Results of what the server may ask, by method; of others None."""
        self._next = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(2)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any = None) -> Any:
        """The whole answer; notifications that come before it are dropped."""
        self._next += 1
        number = self._next
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return self.wait(lambda message: message.get("id") == number)

    def wait(self, wanted: Callable[[Any], bool], timeout: float = 20) -> Any:
        while True:
            message = self.messages.get(timeout=timeout)
            assert message is not None, "the server ended"
            if "method" in message and "id" in message:
                result = self.answers.get(message["method"])
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            self.seen.append(message)
            if wanted(message):
                return message

    def drain(self) -> list[Any]:
        """All messages so far."""
        while not self.messages.empty():
            self.seen.append(self.messages.get())
        return self.seen

    def published(self, version: int | None = None) -> list[Any]:
        """The diagnostics of the next publication (of that version)."""
        message = self.wait(
            lambda m: (
                m.get("method") == PUBLISH
                and (version is None or m["params"].get("version") == version)
            )
        )
        found: list[Any] = message["params"]["diagnostics"]
        return found

    def initialize(self, capabilities: Any = None, **more: Any) -> Any:
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more}
        answer = self.request("initialize", params)
        self.notify("initialized", {})
        return answer

    def open(self, uri: str, text: str, version: int = 1) -> None:
        item = {"uri": uri, "languageId": "jsonc", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, text: str, version: int) -> None:
        where = {"uri": uri, "version": version}
        changes = [{"text": text}]
        self.notify("textDocument/didChange", {"textDocument": where, "contentChanges": changes})

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def end(self) -> int:
        """Shut down in order; the exit code."""
        assert self.request("shutdown")["result"] is None
        self.notify("exit")
        return self.process.wait(10)

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while header := stream.readline():
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
            elif not header.strip():
                self.messages.put(json.loads(stream.read(length)))
        self.messages.put(None)

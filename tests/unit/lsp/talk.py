"""A session without a process, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandboxd.lsp.session import Session
from tests.patience import until

PUBLISH = "textDocument/publishDiagnostics"
RESOLVES = {
    "textDocument": {
        "codeAction": {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
    "window": {"workDoneProgress": True},
}


WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}


class Client:
    """A session and what it said."""

    def __init__(
        self,
        capabilities: Any = None,
        folders: Any = None,
        environ: Any = None,
        options: Any = None,
        trace: str = "off",
        root: str | None = None,
        **more: Any,
    ) -> None:
        self.messages: list[Any] = []
        self.session = Session(environ or {"HOME": "/home/x"}, **more)
        self.session.protocol.set_writer(self)
        self._next = 0
        params = {"processId": None, "rootUri": root, "capabilities": capabilities or {}}
        params |= {"trace": trace, "initializationOptions": options}
        if folders is not None:
            params["workspaceFolders"] = folders
        self.say("initialize", params, 0)
        self.say("initialized", {})

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        pass

    def say(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self.session.protocol.receive(json.dumps(message).encode())

    def open(self, uri: str, text: str, version: int = 1, language: str = "x") -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.say("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, text: str, version: int) -> None:
        where = {"uri": uri, "version": version}
        params = {"textDocument": where, "contentChanges": [{"text": text}]}
        self.say("textDocument/didChange", params)

    async def ask(self, method: str, params: Any) -> Any:
        self._next += 1
        number = self._next
        self.say(method, params, number)
        return await self.until(lambda m: m.get("id") == number and "method" not in m)

    async def until(self, check: Callable[[Any], object]) -> Any:
        """The first message for which `check` is true."""

        def first() -> Any:
            return next((message for message in self.messages if check(message)), None)

        return await until(first, lambda: self.messages)

    def published(self, uri: str) -> list[Any]:
        return [
            m["params"]
            for m in self.messages
            if m.get("method") == PUBLISH and m["params"]["uri"] == uri
        ]


def at(line: int, character: int) -> dict[str, int]:
    return {"line": line, "character": character}

"""Traces messages for a client that asks for it: `$/setTrace`, `$/logTrace`.

`messages` traces their names, `verbose` also their content, up to a limit. The trace is only sent to that client and
never logged, as it contains the user's text.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

MOST_CHARACTERS = 4000


class Writer(Protocol):
    """A stream to which whole messages are written."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class TracingWriter:
    """A writer that also traces messages to the client, once it asks for a trace."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.level = "off"

    def write(self, data: bytes) -> None:
        self._writer.write(data)
        if self.level != "off":
            self._tell("sent", json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        self._writer.close()

    def received(self, data: dict[str, Any]) -> None:
        """Trace a message from the client."""
        if self.level != "off":
            self._tell("received", data)

    def _tell(self, how: str, data: dict[str, Any]) -> None:
        number = f" ({data['id']})" if "id" in data else ""
        what = data.get("method", "an error" if "error" in data else "an answer")
        params: dict[str, str] = {"message": f"{how} {str(what)[:200]}{number}"}
        if self.level == "verbose":
            content = next((data[k] for k in ("params", "result", "error") if k in data), None)
            text = json.dumps(content, ensure_ascii=False)
            more = len(text) - MOST_CHARACTERS
            params["verbose"] = text[:MOST_CHARACTERS] + (f"... {more} more" if more > 0 else "")
        message = {"jsonrpc": "2.0", "method": "$/logTrace", "params": params}
        body = json.dumps(message).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

"""What agents reach in tests: the registry with their real packages, and models that have them edit a file.

A model first asks for a command in a shell; once its result came back it says that it is done. Answers stream
slowly. Each takes the true secret and nothing else.
"""

from __future__ import annotations

import http.server
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sandboxd.credentials import service
from tests import certificates
from tests.e2e import https_server
from tools import agents

SECRET = "marked-secret-5d0c94ae"
REGISTRY = service.load("npm").endpoint("registry").host
ANTHROPIC, OPENAI, GEMINI = (
    service.load(name).endpoint("api").host for name in ("anthropic", "openai", "gemini")
)
HOSTS = (REGISTRY, ANTHROPIC, OPENAI, GEMINI)
COMMAND = "echo 'by an agent' >> weather.sh"
DONE = "the file is edited"


class Asked(NamedTuple):
    """A request that arrived."""

    host: str
    path: str
    is_true: bool
    """Whether it had the true secret."""
    text: str
    """Its head and its body."""


class Services:
    """All of them, at one address, by TLS; `asked` has what came."""

    def __init__(self, pid: int, folder: Path) -> None:
        """:param pid: a process of the network namespace to listen in"""
        self.asked: list[Asked] = []
        self.authority = _certificate(folder)
        self.spoiled = False
        """Whether the further packages have another content than they have to."""
        self.archives: dict[str, bytes] = {}
        """Further packages of the registry, by the last part of their address."""
        of = self

        class Handler(_Handler):
            services = of

        self._server = https_server.serve(pid, Handler, self.authority, folder / "key.pem")

    def of(self, host: str) -> list[Asked]:
        """What `host` was asked."""
        return [asked for asked in self.asked if asked.host == host]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _certificate(folder: Path) -> Path:
    certificates.self_signed(folder, "agents", *HOSTS, key="key.pem", certificate="ca.pem")
    return folder / "ca.pem"


class _Handler(http.server.BaseHTTPRequestHandler):
    services: Services
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = (self.headers.get("Host") or "").partition(":")[0]
        true = {
            ANTHROPIC: ("x-api-key", SECRET),
            OPENAI: ("Authorization", f"Bearer {SECRET}"),
            GEMINI: ("x-goog-api-key", SECRET),
        }
        header, value = true.get(host, ("", ""))
        is_true = host == REGISTRY or self.headers.get(header) == value
        text = f"{self.requestline}\n{self.headers}\n{body.decode('utf-8', 'replace')}"
        self.services.asked.append(Asked(host, self.path.partition("?")[0], is_true, text))
        if host == REGISTRY:
            self._package()
        elif not is_true:
            self._say(401, b'{"error": {"message": "no such key"}}')
        elif self.command == "POST" and self.path.partition("?")[0] == "/v1/messages":
            self._stream(messages(json.loads(body)))
        elif self.command == "POST" and self.path == "/v1/responses":
            self._stream(responses(json.loads(body)))
        elif self.command == "POST" and ":streamGenerateContent" in self.path:
            self._stream(contents(json.loads(body)))
        else:
            self._say(404, b'{"error": {"type": "not_found_error", "message": "not here"}}')

    do_GET = do_HEAD = do_POST = _serve

    def _package(self) -> None:
        name = self.path.rpartition("/")[2]
        if name in self.services.archives:
            data = self.services.archives[name]
            self._say(200, data[:-1] + b"?" if self.services.spoiled else data)
            return
        path = agents.CACHE / name
        if not path.is_file():
            self._say(404, b"{}")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        with open(path, "rb") as file:
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, events: Iterator[tuple[str, dict[str, Any]]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for name, data in events:
            head = f"event: {name}\n" if name else ""
            named = {"type": name} if name else {}
            text = f"{head}data: {json.dumps({**named, **data})}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.flush()
            time.sleep(0.02)
        self.wfile.write(b"0\r\n\r\n")


def messages(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of Anthropic's interface (https://docs.claude.com/en/docs/build-with-claude/streaming)."""
    blocks = [
        block
        for message in request["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]
    if request.get("tools") and not any(block.get("type") == "tool_result" for block in blocks):
        given = json.dumps({"command": COMMAND, "description": "edit the file"})
        names = [str(tool["name"]) for tool in request["tools"]]
        (shell,) = (name for name in names if name.lower() == "bash")
        block = {"type": "tool_use", "id": "toolu_1", "name": shell, "input": {}}
        delta, stop = {"type": "input_json_delta", "partial_json": given}, "tool_use"
    else:
        block, stop = {"type": "text", "text": ""}, "end_turn"
        delta = {"type": "text_delta", "text": DONE}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    yield "message_start", {"message": message}
    yield "content_block_start", {"index": 0, "content_block": block}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    ended = {"stop_reason": stop, "stop_sequence": None}
    yield "message_delta", {"delta": ended, "usage": {"output_tokens": 5}}
    yield "message_stop", {}


def responses(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of OpenAI's interface (https://platform.openai.com/docs/api-reference/responses-streaming)."""
    if any(item.get("type") == "function_call_output" for item in request["input"]):
        text = {"type": "output_text", "text": DONE}
        item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
    else:
        item = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "exec_command",
            "arguments": json.dumps({"cmd": COMMAND}),
        }
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    yield "response.created", {"response": {"id": "resp_1"}}
    yield "response.output_item.done", {"output_index": 0, "item": item}
    yield "response.completed", {"response": {"id": "resp_1", "usage": usage}}


def contents(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of Gemini's interface, which have no names (https://ai.google.dev/api/generate-content)."""
    parts = [part for content in request["contents"] for part in content["parts"]]
    part: dict[str, Any] = {"text": DONE}
    if request.get("tools") and not any("functionResponse" in each for each in parts):
        given = {"command": COMMAND, "description": "edit the file"}
        part = {"functionCall": {"name": "run_shell_command", "args": given}}
    candidate = {
        "content": {"role": "model", "parts": [part]},
        "finishReason": "STOP",
        "index": 0,
    }
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    yield "", {"candidates": [candidate], "usageMetadata": usage}

"""HTTP as the stub of an engine speaks it: requests, answers, chunks, and the frames of its streams."""

from __future__ import annotations

import json
import socket
from typing import Any

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def request(reader: Any) -> tuple[str, str, Any]:
    """Method, target and body of the next request; JSON is decoded.

    :raises ValueError: the client is gone
    """
    first = reader.readline().decode().split()
    if len(first) < 2:
        raise ValueError("the client is gone")
    headers = {}
    while (line := reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    data, length = b"", int(headers.get("content-length", "0"))
    if headers.get("transfer-encoding") == "chunked":
        while size := int(reader.readline().split(b";")[0], 16):
            data += reader.read(size)
            reader.readline()
        reader.readline()
    else:
        data = reader.read(length)
    if not line or len(data) < length:
        raise ValueError("the client is gone in the middle of a request")
    is_json = headers.get("content-type", "").startswith("application/json")
    return first[0], first[1], json.loads(data) if data and is_json else data


def reply(
    connection: socket.socket, status: int, answer: Any, headers: dict[str, str], is_head: bool
) -> None:
    """Send an answer: bytes as they are, anything else as JSON."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
    lines = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
    if status == 204:
        del lines["Content-Length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection.sendall(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + (b"" if is_head else body))


def send_chunk(connection: socket.socket, data: bytes) -> None:
    """Send one chunk of an answer that began with `CHUNKED`."""
    connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def frame(stream: int, data: bytes) -> bytes:
    """Bytes of a container's output: stream 1 is stdout, 2 is stderr."""
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data

"""ClientHello messages for tests: real ones, by the ssl module, and ones put together by hand."""

from __future__ import annotations

import contextlib
import ssl
import struct


def real_hello(server_name: str | None) -> bytes:
    """What a client of OpenSSL sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack(">HH", kind, len(data)) + data


def server_names(*names: bytes) -> bytes:
    entries = b"".join(b"\0" + struct.pack(">H", len(name)) + name for name in names)
    return extension(0, struct.pack(">H", len(entries)) + entries)


ECH = extension(0xFE0D, b"\0\0\1\0\1\0\0\0\0\0")


def message(extensions: bytes) -> bytes:
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    return b"\1" + len(body).to_bytes(3, "big") + body


def records(data: bytes, size: int = 1 << 14) -> bytes:
    """`data` cut into records of at most `size` bytes."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"\x16\3\1" + struct.pack(">H", len(part)) + part for part in parts)


def hello(*extensions: bytes, size: int = 1 << 14) -> bytes:
    return records(message(b"".join(extensions)), size)

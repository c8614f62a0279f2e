"""Connections to servers for an exchange of HTTP: plain, or by verified TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar

from sandboxd.egress import words
from sandboxd.egress.gateway.meters import Meter
from sandboxd.egress.gateway.turns import TURNS
from sandboxd.egress.issuer import issuer

_RECORD = 1 << 16
_HANDSHAKE_SECONDS = 10.0

_T = TypeVar("_T")


class NotTrusted(OSError):
    """The server could not be verified; the message is for a person."""


class Stream(Protocol):
    """Bytes both ways; one task may send while another receives.

    What is sent is counted before it is: so the count is never less than what got away when a connection breaks.
    """

    async def receive(self, size: int) -> bytes:
        """Receive at most `size` bytes, as soon as there are any; b"" at the end."""

    async def receive_into(self, buffer: memoryview) -> int:
        """Receive into `buffer`; returns the number of bytes, 0 at the end."""

    async def send(self, data: bytes) -> None:
        """Send `data`; returns when the system has taken all of it."""

    def close(self) -> None: ...


class PlainStream:
    """A connection without TLS: bytes pass as they are."""

    def __init__(self, sock: socket.socket, meter: Meter) -> None:
        self._sock, self._meter, self._loop = sock, meter, asyncio.get_running_loop()

    async def receive(self, size: int) -> bytes:
        await TURNS.keep()
        data = await self._loop.sock_recv(self._sock, size)
        self._meter.down += len(data)
        return data

    async def receive_into(self, buffer: memoryview) -> int:
        await TURNS.keep()
        size = await self._loop.sock_recv_into(self._sock, buffer)
        self._meter.down += size
        return size

    async def send(self, data: bytes) -> None:
        self._meter.up += len(data)
        await self._loop.sock_sendall(self._sock, data)

    def close(self) -> None:
        self._sock.close()


class SecureStream:
    """A connection by TLS, with buffers of one record: transports of asyncio hold a quarter of a megabyte each.

    The context forbids renegotiation, so sending never waits for receiving. Bytes are counted as they are on the
    wire, those of TLS included.
    """

    def __init__(
        self, sock: socket.socket, meter: Meter, context: ssl.SSLContext, host: str
    ) -> None:
        self._sock, self._meter, self._loop = sock, meter, asyncio.get_running_loop()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # As bytes: a text would have a codec loaded, which the user without rights may not read.
        name = host.encode("ascii")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._sending = asyncio.Lock()

    async def handshake(self) -> None:
        """Do the handshake and verify the server.

        :raises NotTrusted: it shows no trusted certificate for its host, or speaks no TLS
        """
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await self._step(self._tls.do_handshake)
        except ssl.SSLCertVerificationError as error:
            whose = issuer(self._tls._sslobj)  # type: ignore[attr-defined]
            why = words.certificate(error.verify_code, error.verify_message, whose)
            raise NotTrusted(f"its certificate: {why}") from None
        except ssl.SSLError as error:
            raise NotTrusted(f"it speaks no TLS that is taken here: {error.reason}") from None
        except TimeoutError:
            raise NotTrusted("it did not answer in time by TLS") from None

    async def receive(self, size: int) -> bytes:
        await TURNS.keep()
        try:
            return await self._step(lambda: self._tls.read(min(size, _RECORD)))
        except ssl.SSLZeroReturnError:
            return b""

    async def receive_into(self, buffer: memoryview) -> int:
        data = await self.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def send(self, data: bytes) -> None:
        view = memoryview(data)
        for start in range(0, len(view), _RECORD):
            self._tls.write(view[start : start + _RECORD])
            await self._flush()

    def close(self) -> None:
        self._sock.close()

    async def _step(self, do: Callable[[], _T]) -> _T:
        while True:
            try:
                result = do()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._loop.sock_recv(self._sock, _RECORD)
                self._meter.down += len(data)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                await self._flush()  # why we end it, for the server
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            async with self._sending:
                while data := self._outgoing.read(_RECORD):
                    self._meter.up += len(data)
                    await self._loop.sock_sendall(self._sock, data)


def client_context(roots: str) -> ssl.SSLContext:
    """A TLS context that verifies a server's host name by these certificates (PEM text).

    :raises ValueError: there are none in `roots`
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_verify_locations(cadata=roots)
    except (ssl.SSLError, ValueError):
        raise ValueError("`roots` holds no certificates that can be read") from None
    return context

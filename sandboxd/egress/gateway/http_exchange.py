"""One request to one origin and its response, parsed and written anew by h11 on both sides."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import NamedTuple

import h11

from sandboxd.egress.decoy import Search
from sandboxd.egress.gateway import http_head
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.streams import Stream
from sandboxd.egress.gateway.turns import TURNS

Answer = h11.Response | h11.InformationalResponse

_LARGEST_READ, _SMALLEST_READ, _MOST_HELD = 1 << 18, 1 << 12, 16 << 20


class Switched(NamedTuple):
    """The origin switched to another protocol; holds the first bytes of each end in it."""

    to_client: bytes
    to_server: bytes


class Change(NamedTuple):
    """A replacement for a response body, which is read whole for it."""

    most_bytes: int
    function: Callable[[bytes], bytes]
    """Raises ValueError where nothing of it may pass; its words tell a person why."""


class ClientLeft(h11.RemoteProtocolError):
    """The client closed the connection in the middle of its request."""


class DecoySent(Exception):
    """The body of the request held a decoy; the piece in which it ends was not passed on."""


class _Length(bytes):
    """Stands for bytes that h11 counts but that are sent without it."""

    def __new__(cls, size: int) -> _Length:
        length = super().__new__(cls)
        length._size = size
        return length

    _size: int

    def __len__(self) -> int:
        return self._size


class Exchange:
    """An allowed request and its response."""

    running = 0
    """The number of exchanges that run: each reads less at a time when they are many."""

    def __init__(
        self,
        reader: Reader,
        client: h11.Connection,
        server: Stream,
        answered: Callable[[Answer], Answer] = lambda answer: answer,
        search: Search | None = None,
        change: Callable[[h11.Response], Change | None] = lambda _answer: None,
    ) -> None:
        """:param client: has parsed the head of the request and waits for its body
        :param answered: turns the response's head into what the client gets
        :param search: looks for decoys in the request's body
        :param change: from a response's head, how its body is changed; None leaves it
        """
        self._reader, self._client, self._server = reader, client, server
        self._answered, self._search, self._change = answered, search, change
        self._method = b""
        self._origin = h11.Connection(h11.CLIENT, max_incomplete_event_size=2 * http_head.LONGEST)

    async def run(self, request: h11.Request) -> bool | Switched:
        """Send the request and its response on; returns whether another request may follow on the client's connection.

        :param request: as the origin gets it
        :raises h11.ProtocolError: an end breaks the rules; both connections must end
        :raises DecoySent: its body holds a decoy; both connections must end
        :raises upstream.Refusal: the proxy wants other credentials; the client was told nothing yet
        """
        Exchange.running += 1
        try:
            return await self._both_ways(request)
        finally:
            Exchange.running -= 1

    async def _both_ways(self, request: h11.Request) -> bool | Switched:
        self._method = request.method
        await self._to_origin(request)
        loop = asyncio.get_running_loop()
        upload = loop.create_task(self._upload())
        download = loop.create_task(self._download())
        try:
            await asyncio.wait({upload, download}, return_when=asyncio.FIRST_EXCEPTION)
            if upload.done():
                upload.result()
            result = await download
            if result is not None:
                return result
            states = (self._client.our_state, self._client.their_state)
            if not upload.done() or states != (h11.DONE, h11.DONE):
                return False
            self._reader.data = self._client.trailing_data[0] + self._reader.data
            return True
        finally:
            for task in (upload, download):
                task.cancel()
            await asyncio.gather(upload, download, return_exceptions=True)

    async def _upload(self) -> None:
        if self._client.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._reader.send(self._client.send(go_on) or b"")
        if self._reader.data:
            self._client.receive_data(self._reader.take())
        while True:
            await TURNS.keep()
            event = self._client.next_event()
            if event is h11.NEED_DATA:
                if not await self._reader.more():
                    raise ClientLeft("the client left in the middle of a request")
                self._client.receive_data(self._reader.take())
            elif isinstance(event, h11.Data):
                if self._search is not None and self._search.feed(bytes(event.data)):
                    raise DecoySent
                if not await self._went_out(h11.Data(data=event.data)):
                    return
            elif isinstance(event, h11.EndOfMessage):
                await self._went_out(h11.EndOfMessage())
                return
            else:
                raise h11.RemoteProtocolError("not a body")

    async def _download(self) -> Switched | None:
        """Pass the response on; bytes that are there are written at once, not piece by piece."""
        ready = b""
        while True:
            await TURNS.keep()
            event = self._origin.next_event()
            if event is h11.NEED_DATA:
                await self._reader.send(ready)
                ready = b""
                self._origin.receive_data(await self._server.receive(_read_size()))
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    return await self._switch(event)
                if event.status_code != 100:
                    ready += self._client.send(self._answered(_passed_on(event))) or b""
            elif isinstance(event, h11.Response) and (change := self._change_of(event)):
                await self._reader.send(ready)
                await self._send_changed(event, change)
                return None
            elif isinstance(event, h11.Response):
                ready += self._client.send(self._answered(_passed_on(event))) or b""
                length = self._length(event)
                if length is not None:
                    await self._copy(ready, length)
                    return None
            elif isinstance(event, h11.Data | h11.EndOfMessage):
                end = isinstance(event, h11.EndOfMessage)
                # Without trailers: they would be fields that nobody has looked at.
                ready += self._client.send(h11.EndOfMessage() if end else event) or b""
                if end:
                    await self._reader.send(ready)
                    return None
            else:
                raise h11.RemoteProtocolError("not a response")

    def _length(self, response: h11.Response) -> int | None:
        """The length of a body that need not be parsed, in bytes; None where it has to be."""
        lengths = [value for name, value in response.headers if name == b"content-length"]
        chunked = any(name == b"transfer-encoding" for name, _ in response.headers)
        bodiless = self._method == b"HEAD" or response.status_code in (204, 304)
        if not lengths or chunked or bodiless or int(lengths[0]) > sys.maxsize:
            return None
        return int(lengths[0])

    async def _copy(self, head: bytes, length: int) -> None:
        """Pass a body on as it is behind `head`; both ends know its length."""
        counted = h11.Data(data=_Length(length))
        self._client.send_with_data_passthrough(counted)
        rest, left = self._origin.trailing_data[0][:length], length
        await self._reader.send(head + rest)
        left -= len(rest)
        buffer = memoryview(bytearray(min(left, _read_size())))
        while left:
            size = await self._server.receive_into(buffer[: min(left, len(buffer))])
            if not size:
                raise h11.RemoteProtocolError("the origin left in the middle of a response")
            await self._reader.send(buffer[:size])
            left -= size
        self._client.send(h11.EndOfMessage())

    def _change_of(self, response: h11.Response) -> Change | None:
        is_bodiless = self._method == b"HEAD" or response.status_code in (204, 304)
        return None if is_bodiless else self._change(response)

    async def _send_changed(self, response: h11.Response, change: Change) -> None:
        """Pass on `response` with another body.

        :raises h11.RemoteProtocolError: it is too long, packed, or not to be passed on
        """
        body = b""
        while not isinstance(event := self._origin.next_event(), h11.EndOfMessage):
            await TURNS.keep()
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > change.most_bytes:
                    raise h11.RemoteProtocolError("an answer that is too long to be read whole")
            elif event is h11.NEED_DATA:
                self._origin.receive_data(await self._server.receive(_read_size()))
            else:
                raise h11.RemoteProtocolError("not a body")
        codings = [value.lower() for name, value in response.headers if name == b"content-encoding"]
        if body and any(coding != b"identity" for coding in codings):
            raise h11.RemoteProtocolError("a packed answer, which nobody asked for")
        try:
            data = change.function(body)
        except ValueError as error:
            raise h11.RemoteProtocolError(str(error)) from None
        head = self._answered(_passed_on(response))
        framing = (b"content-length", b"transfer-encoding")
        fields = [(name, value) for name, value in head.headers if name not in framing]
        fields.append((b"content-length", b"%d" % len(data)))
        whole = h11.Response(status_code=head.status_code, headers=fields, reason=head.reason)
        events = (whole, h11.Data(data=data), h11.EndOfMessage())
        await self._reader.send(b"".join(self._client.send(each) or b"" for each in events))

    async def _switch(self, event: h11.InformationalResponse) -> Switched:
        switching = h11.InformationalResponse(
            status_code=101, headers=event.headers, reason=event.reason
        )
        await self._reader.send(self._client.send(self._answered(switching)) or b"")
        return Switched(
            self._origin.trailing_data[0], self._client.trailing_data[0] + self._reader.take()
        )

    async def _to_origin(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        data = self._origin.send(event)
        if data:
            await self._server.send(data)

    async def _went_out(self, event: h11.Data | h11.EndOfMessage) -> bool:
        """Whether the origin still takes the body: one that answers early may not, and the answer counts."""
        try:
            await self._to_origin(event)
        except OSError:
            return False
        return True


def _read_size() -> int:
    return max(_SMALLEST_READ, min(_LARGEST_READ, _MOST_HELD // max(Exchange.running, 1)))


def _passed_on(event: Answer) -> Answer:
    headers = http_head.returned(event)
    return type(event)(status_code=event.status_code, headers=headers, reason=event.reason)

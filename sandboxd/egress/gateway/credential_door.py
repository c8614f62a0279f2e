"""Takes plain HTTP from inside, adds the credential, and sends it on by verified TLS.

The client never has the secret: the placeholder that it sends is removed, and so is what the service echoes.
A redirect is an answer as any other; a client that follows it goes through the filter of names."""

from __future__ import annotations

import ssl

import h11

from sandboxd.egress import decoy, words
from sandboxd.egress.broker import Binding, Refused, decide, explain
from sandboxd.egress.gateway import credential_head, lfs_answer, refusals, tunnel
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.dialer import NoWay
from sandboxd.egress.gateway.head_reader import HEAD_SECONDS, IDLE_SECONDS, TOO_SLOW, next_request
from sandboxd.egress.gateway.held_credentials import HeldCredentials
from sandboxd.egress.gateway.http_exchange import (
    Answer,
    Change,
    ClientLeft,
    DecoySent,
    Exchange,
    Switched,
)
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.streams import NotTrusted, SecureStream
from sandboxd.egress.gateway.switched import carry
from sandboxd.egress.gateway.tunnel import Destination, Parts

DOOR = "credential"
MOST_OPEN = 256
"""Connections at a time: TLS holds about 100 KB for each."""

_REJECTED = (401, 403)


class CredentialDoor:
    """Serves the ports of all credentials."""

    def __init__(self, parts: Parts, held: HeldCredentials, address: str) -> None:
        """:param address: the gateway's own on the inner network"""
        self._parts, self._held, self._address = parts, held, address
        self._open = 0

    async def serve(self, connection: Connection) -> None:
        """Serve one connection; each request is judged by itself."""
        port = connection.client.getsockname()[1]
        reader = Reader(connection)
        if self._open >= MOST_OPEN:
            self._report(port, "failed", reason="full")
            await reader.end(
                refusals.response(503, "too many connections to credentials are open\n")
            )
            return
        self._open += 1
        try:
            await self._requests(connection, reader, port)
        finally:
            self._open -= 1

    async def _requests(self, connection: Connection, reader: Reader, port: int) -> None:
        seconds = HEAD_SECONDS
        while True:
            connection.rest()
            try:
                parts = await next_request(reader, seconds)
                if parts is None:
                    break
                client, request = parts
            except BadHead as error:
                if error.status != TOO_SLOW:
                    self._report(port, "refused", reason="malformed", detail=str(error))
                await reader.end(refusals.response(error.status, f"refused: {error}\n"))
                return
            if not await self._request(connection, reader, port, client, request):
                return
            seconds = IDLE_SECONDS
        connection.orderly = True

    async def _request(
        self, connection: Connection, reader: Reader, port: int, client: h11.Connection, request: h11.Request
    ) -> bool:  # fmt: skip
        """Handle one request; returns whether another may follow."""
        credential = self._held.find(port)
        if credential is None:
            await self._refuse(reader, port, "missing", request, 503)
            return False
        binding, context = credential
        if not credential_head.is_for_gateway(request, self._address, port):
            await self._refuse(reader, port, "host", request)
            return False
        method, target = request.method.decode("ascii"), request.target.decode("ascii")
        decision = decide(binding, method, target)
        if isinstance(decision, Refused):
            await self._refuse(reader, port, decision.reason, request)
            return False
        judgement = self._held.judge(binding)
        if not judgement.allowed:
            await self._refuse(reader, port, judgement.reason, request)
            return False
        destination = Destination(judgement, binding.host_port, DOOR)
        decoys = self._parts.gate.policy.decoys
        if decoy.is_carried(request.method, request.target, request.headers, decoys):
            destination.report(self._parts, "canary", words.DECOY)
            await self._refuse(reader, port, "canary", request)
            return False
        connection.binding, connection.way = binding, None
        try:
            stream = await self._connect(connection, destination, binding, context)
        except (NoWay, NotTrusted) as error:
            reason = error.reason if isinstance(error, NoWay) else "tls"
            detail = error.detail if isinstance(error, NoWay) else str(error)
            await self._fail(reader, binding, reason, detail)
            return False
        try:
            return await self._exchange(reader, stream, binding, client, request)
        except DecoySent:
            destination.report(self._parts, "canary", words.DECOY)
            self._report(port, "refused", reason="canary")
            return False
        finally:
            stream.close()

    async def _connect(
        self,
        connection: Connection,
        destination: Destination,
        binding: Binding,
        context: ssl.SSLContext,
    ) -> SecureStream:
        """:raises NoWay: it cannot be reached
        :raises NotTrusted: it is not who it has to be
        """
        way = await tunnel.dial(self._parts, connection, destination)
        meter = self._parts.meters.of(destination.judgement)
        stream = SecureStream(way.sock, meter, context, binding.host)
        try:
            await stream.handshake()
        except BaseException:
            stream.close()
            raise
        return stream

    async def _exchange(
        self,
        reader: Reader,
        stream: SecureStream,
        binding: Binding,
        client: h11.Connection,
        request: h11.Request,
    ) -> bool:
        """Send one request and its answer; returns whether another may follow."""
        host = next(value for name, value in request.headers if name == b"host").decode("latin-1")

        def answered(answer: Answer) -> Answer:
            if isinstance(answer, h11.Response) or answer.status_code == 101:
                rejected = answer.status_code in _REJECTED
                outcome = "rejected" if rejected else "used"
                self._parts.journal.credential(binding.service, outcome, answer.status_code)
            return credential_head.incoming(answer, binding, host)

        def change(answer: h11.Response) -> Change | None:
            return lfs_answer.change_of(answer, binding, host)

        target = request.target.decode("ascii")
        outgoing = credential_head.outgoing(request, binding, target)
        try:
            search = decoy.Search(self._parts.gate.policy.decoys)
            exchange = Exchange(reader, client, stream, answered, search, change)
            result = await exchange.run(outgoing)
        except ClientLeft:
            return False
        except (h11.ProtocolError, ssl.SSLError):
            # Its text could hold what was sent. A service that leaves in the middle is one of them.
            self._parts.journal.credential(binding.service, "failed", reason="malformed")
            return False
        if isinstance(result, Switched):
            await carry(reader, stream, result)
            return False
        if not result:
            await reader.end()
        return result

    async def _refuse(
        self, reader: Reader, port: int, reason: str, request: h11.Request, status: int = 403
    ) -> None:
        method, target = request.method.decode("ascii"), request.target.decode("ascii")
        # Without the query, where a client may have a secret of its own.
        what = f"{method} {target.partition('?')[0]}"
        self._report(port, "refused", reason=reason, detail=refusals.printable(what))
        service = self._held.service(port) or "no service"
        lines = [
            f"{refusals.printable(what)}: this request {explain(reason)}",
            f"credential: {service}",
        ]
        if reason == "missing":
            lines.append("to give it to the gateway, outside of the sandbox: sandboxd up")
        await reader.end(refusals.response(status, "\n".join([*lines, ""])))

    async def _fail(self, reader: Reader, binding: Binding, reason: str, detail: str) -> None:
        self._parts.journal.credential(binding.service, "failed", reason=reason, detail=detail)
        has_proxy = self._parts.gate.policy.upstream is not None
        place = (binding.host, binding.host_port)
        await reader.end(refusals.unreached(*place, reason, detail, binding.service, has_proxy))

    def _report(self, port: int, outcome: str, reason: str, detail: str = "") -> None:
        self._parts.journal.credential(self._held.service(port), outcome, 0, reason, detail)

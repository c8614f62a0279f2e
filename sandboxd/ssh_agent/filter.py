"""Serves one client inside, which talks to the filter like to an agent."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from sandboxd.ssh_agent import wire
from sandboxd.ssh_agent.agent import Agent, read_message
from sandboxd.ssh_agent.choice import Choice
from sandboxd.ssh_agent.verdict import Session, Verdict, judge
from sandboxd.ssh_agent.wire import Malformed

Report = Callable[[Verdict], None]

_IDLE_SECONDS = 600.0
_NO = (wire.FAILURE, b"")


class Filter:
    """Answers one client; the agent is asked only for what the client may do."""

    def __init__(self, choice: Choice, report: Report) -> None:
        """:param report: called with each login that was signed or refused, in the client's thread"""
        self._choice, self._report = choice, report
        self._session: Session | None = None
        self._agent: Agent | None = None

    def serve(self, client: socket.socket) -> None:
        """Answer until `client` disconnects, or breaks the protocol."""
        client.settimeout(_IDLE_SECONDS)
        with client, contextlib.suppress(OSError, Malformed):
            while (request := read_message(client)) is not None:
                client.sendall(wire.message(*self._answer(*request)))
        if self._agent is not None:
            self._agent.close()

    def _answer(self, number: int, content: bytes) -> tuple[int, bytes]:
        if number == wire.EXTENSION:
            return self._bind(content)
        if number == wire.SIGN:
            return self._sign(content)
        if number == wire.LIST and not content:
            return self._list()
        return _NO

    def _list(self) -> tuple[int, bytes]:
        try:
            listed = self._connected().identities()
        except (OSError, Malformed):
            self._agent = None
            return _NO
        chosen = (each for each in listed if wire.fingerprint(each.key) in self._choice.keys)
        return wire.IDENTITIES, wire.identities_content(tuple(chosen))

    def _bind(self, content: bytes) -> tuple[int, bytes]:
        claim = wire.bind(content)
        if claim is None or not claim.signature or self._session is not None:
            # A second one would make a login's host a matter of opinion.
            return _NO
        try:
            is_verified = self._connected().verifies(claim)
        except (OSError, Malformed):
            self._agent, is_verified = None, False
        self._session = Session(claim, is_verified)
        return wire.SUCCESS, b""

    def _sign(self, content: bytes) -> tuple[int, bytes]:
        verdict = judge(self._choice, self._session, wire.login(content))
        if not verdict.why:
            verdict, answer = self._signed(verdict, content)
        else:
            answer = _NO
        self._report(verdict)
        return answer

    def _signed(self, verdict: Verdict, content: bytes) -> tuple[Verdict, tuple[int, bytes]]:
        try:
            number, signature = self._connected().ask(wire.SIGN, content)
        except (OSError, Malformed):
            self._agent = None
            return verdict._replace(why="your agent does not answer"), _NO
        if number != wire.SIGNATURE:
            return verdict._replace(why="your agent does not sign by it"), _NO
        return verdict, (number, signature)

    def _connected(self) -> Agent:
        if self._agent is None:
            self._agent = Agent(self._choice.socket)
        return self._agent

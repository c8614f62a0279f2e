"""Serves one client inside, for which the filter acts as an SSH agent."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.agent import Agent, read_message
from sandboxd.credentials.ssh_agent.choice import Choice
from sandboxd.credentials.ssh_agent.verdict import Session, Verdict, judge
from sandboxd.credentials.ssh_agent.wire import Malformed

if TYPE_CHECKING:
    from sandboxd.policy.rights import KeyRights

Report = Callable[[Verdict], None]
_Answer = TypeVar("_Answer")

_IDLE_SECONDS = 600.0
_NO = (wire.FAILURE, b"")


class Filter:
    """Answers one client; only allowed requests are passed to the user's agent."""

    def __init__(self, choice: Choice, rights: KeyRights, report: Report) -> None:
        """:param report: called with each login that was signed or refused, in the client's thread"""
        self._choice, self._report = choice.within(rights), report
        self._session: Session | None = None
        self._agent: Agent | None = None

    def serve(self, client: socket.socket) -> None:
        """Answer until `client` disconnects, or violates the protocol."""
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
            listed = self._asked(Agent.identities)
        except (OSError, Malformed):
            return _NO
        chosen = (each for each in listed if wire.fingerprint(each.key) in self._choice.keys)
        return wire.IDENTITIES, wire.identities_content(tuple(chosen))

    def _bind(self, content: bytes) -> tuple[int, bytes]:
        claim = wire.bind(content)
        if claim is None or not claim.signature or self._session is not None:
            # A second one would make a login's host a matter of opinion.
            return _NO
        try:
            is_verified = self._asked(lambda agent: agent.verifies(claim))
        except (OSError, Malformed):
            is_verified = False
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
            number, signature = self._asked(lambda agent: agent.ask(wire.SIGN, content))
        except (OSError, Malformed):
            return verdict._replace(why="your agent does not answer"), _NO
        if number != wire.SIGNATURE:
            return verdict._replace(why="your agent does not sign by it"), _NO
        return verdict, (number, signature)

    def _asked(self, ask: Callable[[Agent], _Answer]) -> _Answer:
        """The answer to `ask`; from a new connection where the agent ended the one of before.

        An agent that was started anew, or that ends idle connections, answers all the same. What has run into
        its time is not asked twice: somebody may have been asked to touch a key.

        :raises OSError: there is no agent, or it does not answer
        :raises Malformed: the answer is no message
        """
        try:
            if self._agent is not None:
                with contextlib.suppress(ConnectionError):
                    return ask(self._agent)
                self._agent.close()
            self._agent = self._bound()
            return ask(self._agent)
        except (OSError, Malformed):
            if self._agent is not None:
                self._agent.close()
            self._agent = None
            raise

    def _bound(self) -> Agent:
        """A new connection to the agent, which knows the session, as that of before did."""
        agent = Agent(self._choice.socket)
        if self._session is not None and self._session.is_verified:
            try:
                agent.ask(wire.EXTENSION, wire.bind_content(self._session.claim))
            except BaseException:
                agent.close()
                raise
        return agent

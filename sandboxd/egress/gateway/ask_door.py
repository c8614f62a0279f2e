"""Questions from inside about names: they are passed to the host, and nothing inside can answer them."""

from __future__ import annotations

import asyncio
import contextlib

import h11

from sandboxd.egress import words
from sandboxd.egress.gateway import http_head, refusals
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.tunnel import Parts
from sandboxd.egress.questions import (
    LONGEST_WHY,
    Answer,
    Ask,
    NotAQuestion,
    answer_line,
    read,
)

_NO = "a person said no"
DOOR = "ask"
MOST_OPEN, MOST_NEW = 32, 12
"""Questions that wait, and new ones in a minute: a person has to read each."""

_MINUTE, _READ_SECONDS = 60.0, 10.0
_REMEMBERED, _ANSWER_REMEMBERED = 900.0, 120.0


class _Question:
    """A question that one or more requests wait for; `no` is a person's answer, None before."""

    def __init__(self, ident: int, now: float) -> None:
        self.id, self.asked = ident, now
        self.changed = asyncio.Event()
        self.no: str | None = None


class AskDoor:
    """Holds the questions that wait."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: dict[tuple[str, int], _Question] = {}
        self._next, self._recent = 1, list[float]()

    def policy_changed(self) -> None:
        """Check again whether the questions that wait are answered by the policy."""
        for question in self._open.values():
            question.changed.set()

    def answer(self, ident: int, why: str) -> bool:
        """Deny a question; False where no such question waits."""
        for question in self._open.values():
            if question.id == ident:
                question.no, question.asked = why, self._parts.loop.time()
                question.changed.set()
                return True
        return False

    async def serve(self, connection: Connection) -> None:
        """Serve one request."""
        reader = Reader(connection)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                request = await _request(reader)
        except (BadHead, h11.RemoteProtocolError, NotAQuestion) as error:
            await _say(reader, "refused", str(error))
            return
        if request is None:
            return
        left = asyncio.ensure_future(_gone(reader))
        asked = asyncio.ensure_future(self._ask(request))
        try:
            await asyncio.wait({left, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                left.cancel()
                await asyncio.gather(left, return_exceptions=True)
                await _say(reader, *asked.result())
        finally:
            left.cancel()
            asked.cancel()
            await asyncio.gather(left, asked, return_exceptions=True)

    async def _ask(self, ask: Ask) -> tuple[Answer, str]:
        deadline = self._parts.loop.time() + ask.wait
        while True:
            judgement = self._parts.gate.judge(ask.name, ask.port)
            if judgement.allowed:
                self._open.pop((ask.name, ask.port), None)
                return "open", ""
            if not words.approvable(ask.name, judgement.reason):
                reason, source = judgement.reason, judgement.source
                waiting = self._open.get((ask.name, ask.port))
                if waiting is not None and reason == "denied":
                    # The policy that says no may come before the words of who said it.
                    waiting.no = waiting.no or _NO
                    return "denied", waiting.no
                self._parts.journal.attempt("denied", ask.name, ask.port, DOOR, reason, source)
                return "refused", words.reason(reason)
            question = self._question(ask)
            if question is None:
                return "refused", "too many questions: ask again in a minute"
            if question.no is not None:
                return "denied", question.no
            left = deadline - self._parts.loop.time()
            if left <= 0:
                return "waiting", "nobody has answered yet"
            question.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await question.changed.wait()

    def _question(self, ask: Ask) -> _Question | None:
        """The question that waits for an answer, or a new one; None where there are too many."""
        now = self._parts.loop.time()
        self._forget(now)
        question = self._open.get((ask.name, ask.port))
        if question is not None:
            if question.no is None:
                question.asked = now
            return question
        if len(self._open) >= MOST_OPEN or len(self._recent) >= MOST_NEW:
            return None
        question = _Question(self._next, now)
        self._next += 1
        self._recent.append(now)
        self._open[ask.name, ask.port] = question
        self._parts.journal.say("asked", id=question.id, name=ask.name, port=ask.port, why=ask.why)
        return question

    def _forget(self, now: float) -> None:
        self._recent = [at for at in self._recent if now - at < _MINUTE]
        for key, question in list(self._open.items()):
            seconds = _REMEMBERED if question.no is None else _ANSWER_REMEMBERED
            if now - question.asked >= seconds:
                del self._open[key]


async def _request(reader: Reader) -> Ask | None:
    """The question in a request; None if the client ends early.

    :raises BadHead: it is no HTTP/1 request
    :raises NotAQuestion: it asks nothing
    """
    while (parts := http_head.split(reader.data)) is None:
        if not await reader.more():
            return None
    reader.data = parts[1]
    connection, request = http_head.parse(parts[0])
    if request.method != b"POST":
        raise NotAQuestion("a question is a POST")
    if connection.they_are_waiting_for_100_continue:
        go_on = h11.InformationalResponse(status_code=100, headers=[])
        await reader.send(connection.send(go_on) or b"")
    body = b""
    if reader.data:
        connection.receive_data(reader.take())
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            body += event.data
            if len(body) > 64 * LONGEST_WHY:
                raise NotAQuestion("the reason is too long")
        elif not await reader.more():
            return None
        else:
            connection.receive_data(reader.take())
    return read(request.target.decode("ascii"), body)


async def _gone(reader: Reader) -> None:
    """Read and drop what the client sends until it closes the connection."""
    while await reader.more():
        reader.take()


async def _say(reader: Reader, answer: Answer, text: str) -> None:
    await reader.end(refusals.response(200, answer_line(answer, text).decode("utf-8", "replace")))

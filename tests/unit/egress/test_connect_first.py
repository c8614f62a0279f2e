"""Which of several addresses of a name a connection goes to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from sandboxd.egress.gateway.dialer import NoWay, connect_first
from tests.patience import PATIENCE
from tests.ports import pick_port

SILENT, ANSWERS, REFUSES = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture
def port() -> Iterator[int]:
    """A port at which one address answers nobody, one answers, and one refuses."""
    number = pick_port()
    with contextlib.ExitStack() as stack:
        for address, backlog in ((SILENT, 0), (ANSWERS, 8)):
            listener = stack.enter_context(socket.socket())
            listener.bind((address, number))
            listener.listen(backlog)
        # The kernel answers no more once the queue of those that wait is full.
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((SILENT, number))
        yield number


def connect(addresses: list[str], port: int, seconds: float = PATIENCE) -> str:
    async def run() -> str:
        sock, address = await connect_first(addresses, port, "", seconds)
        with sock:
            assert sock.getpeername() == (address, port)
        # Nothing of the others is left behind.
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
        return address

    return asyncio.run(run())


@pytest.mark.parametrize(
    "addresses",
    [
        [ANSWERS],
        [SILENT, ANSWERS],
        [REFUSES, ANSWERS],
        [SILENT, REFUSES, SILENT, SILENT, SILENT, ANSWERS],
        [ANSWERS, SILENT],
    ],
)
def test_one_that_answers_is_found_behind_those_that_do_not(
    addresses: list[str], port: int
) -> None:
    assert connect(addresses, port) == ANSWERS


@pytest.mark.parametrize(
    ("addresses", "why"),
    [([REFUSES], "refused"), ([SILENT], "in time"), ([SILENT, REFUSES], "refused")],
)
def test_why_the_last_one_did_not_answer_is_said(addresses: list[str], why: str, port: int) -> None:
    with pytest.raises(NoWay, match=f"{addresses[-1]}: .*{why}") as raised:
        connect(addresses, port, 0.5)
    assert raised.value.reason == "unreachable"

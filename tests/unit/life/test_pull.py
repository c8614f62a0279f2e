"""Which images of a plan are got, and what a registry's refusal ends."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.interruption import Cancel, Cancelled, Step, never
from sandboxd.life.pull import pull_missing
from tests.unit.engine.fake_engine import answering, raw, request


def plan(image: str, *services: str, recipe: object = None) -> Any:
    each = [
        SimpleNamespace(container=SimpleNamespace(image=SimpleNamespace(value=name)))
        for name in services
    ]
    return SimpleNamespace(image=lambda: image, recipe=recipe, services=each)


def got(wanted: Any, has: set[str]) -> tuple[list[str], list[str]]:
    """The images that are asked for, and the lasting lines of progress; a registry has those that are not called
    ``gone``.
    """
    asked: list[str] = []
    told: list[Step] = []

    def answer(method: str, target: str) -> tuple[int, object]:
        if method == "GET":
            name = target.removeprefix("/images/").removesuffix("/json")
            return (200, {"Id": "1"}) if name in has else (404, {"message": "no such image"})
        asked.append(parse_qs(urlsplit(target).query)["fromImage"][0])
        return (404, {"message": "it is not here"}) if asked[-1] == "gone" else (200, b"")

    with answering(answer) as engine:
        pull_missing(engine, wanted, {}, told.append, never())
    return asked, [step.text for step in told if not step.is_passing]


def test_what_the_engine_has_is_left_as_it_is() -> None:
    assert got(plan("shop", "db", "cache"), has={"shop", "db"}) == (["cache"], ["got `cache`"])


def test_an_image_that_is_built_is_not_asked_for() -> None:
    assert got(plan("built", recipe=object()), has=set()) == ([], [])


def test_a_service_without_image_is_told_and_the_sandbox_is_not_kept_by_it() -> None:
    asked, told = got(plan("shop", "gone"), has={"shop"})
    assert asked == ["gone"]
    assert told == ["the engine did not get the image `gone`: it is not here"]


def test_the_sandbox_s_own_image_is_needed() -> None:
    with pytest.raises(EngineFailure, match="`gone`: it is not here"):
        got(plan("gone"), has=set())


def test_a_cancel_does_not_wait_for_a_registry_that_is_silent() -> None:
    cancel = Cancel()
    line = b'{"status": "Downloading", "id": "a", "progressDetail": {"current": 0, "total": 1}}\n'

    def serve(connection: socket.socket) -> None:
        method, _ = request(connection)
        if method == "GET":
            connection.sendall(b'HTTP/1.1 404 X\r\nContent-Length: 15\r\n\r\n{"message": ""}')
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
        # It says nothing more, and ends when the other side does.
        connection.recv(1)

    lines: list[str] = []

    def say(step: Step) -> None:
        lines.append(step.text)
        if len(lines) == 2:
            cancel.cancel()

    with raw(serve) as engine, pytest.raises(Cancelled):
        pull_missing(engine, plan("shop"), {}, say, cancel)
    assert lines == ["getting `shop`", "getting `shop`: 0 of 1 MiB"]

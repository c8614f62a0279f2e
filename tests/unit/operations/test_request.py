"""Operations are found by their file, and read what a client asks for as strictly as it has to be."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd import operations
from sandboxd.engine.client import Engine
from sandboxd.errors import EnvironmentFailure
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.operations.request import Request

OWN = {"HOME": "/home/dev", "XDG_STATE_HOME": "/home/dev/state", "DOCKER_HOST": "unix:///mine"}


def request(**options: Any) -> Request:
    def no_engine() -> Engine:
        raise EnvironmentFailure("there is no engine", "start one")

    return Request("/home/dev/app", OWN, options, no_engine)


def test_modules_with_serve_are_operations_and_no_others() -> None:
    served = {name for name in operations.names() if operations.load(name) is not None}
    assert {"start", "stop", "verify", "drift", "review", "bench", "egress"} <= served
    assert served.isdisjoint({"interruption", "request", "wire"})


def test_options_are_read_by_their_kind() -> None:
    asked = request(a=True, b=3, c="x", d=["y"], e={"z": 1}, f=None)
    assert (asked.flag("a"), asked.number("b"), asked.text("c")) == (True, 3, "x")
    assert (asked.texts("d"), asked.values("e")) == (["y"], {"z": 1})
    assert asked.optional_text("f") is None and asked.optional_text("c") == "x"
    wrong = request(a=1, c=7)
    for read in (
        lambda: wrong.flag("a"),
        lambda: wrong.number("b"),
        lambda: wrong.optional_text("c"),
        lambda: wrong.texts("d"),
        lambda: wrong.values("e"),
    ):
        with pytest.raises(InvalidParams, match=r"`[a-e]` is"):
            read()


def test_a_caller_brings_variables_but_no_folders_and_no_engine() -> None:
    """Grants lie in the user's folders, so those of a caller would grant whatever it likes."""
    theirs = {"LANG": "C", "HOME": "/tmp", "DOCKER_HOST": "tcp://else", "DOCKER_CONTEXT": "else"}
    assert request(environ=theirs).environ_of_caller() == {"LANG": "C", **OWN}


def test_the_engine_is_asked_for_when_it_is_needed() -> None:
    asked = request()
    with pytest.raises(EnvironmentFailure, match="there is no engine"):
        asked.engine.info()
    with pytest.raises(EnvironmentFailure, match="there is no engine"):
        asked.find_gateway("/home/dev/app")

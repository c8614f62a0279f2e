"""Operations are found by their file, and read what a client asks for as strictly as it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandboxd import operations
from sandboxd.engine.client import Engine
from sandboxd.errors import EnvironmentFailure
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.operations.option import Options
from sandboxd.operations.request import Request

OWN = {"HOME": "/home/dev", "XDG_STATE_HOME": "/home/dev/state", "DOCKER_HOST": "unix:///mine"}


class Each(Options):
    """A field of each type."""

    a: bool = False
    b: int = 0
    c: str = ""
    d: tuple[str, ...] = ()
    e: Mapping[str, str] = {}
    f: str | None = None


def request(**options: Any) -> Request:
    def no_engine() -> Engine:
        raise EnvironmentFailure("there is no engine", "start one")

    return Request("/home/dev/app", OWN, options, no_engine)


def test_modules_with_serve_are_operations_and_no_others() -> None:
    served = {name for name in operations.names() if operations.load(name) is not None}
    assert {"start", "stop", "verify", "drift", "review", "bench", "egress"} <= served
    assert served.isdisjoint({"interruption", "request", "wire"})


def test_options_are_read_by_their_kind() -> None:
    right = {"a": True, "b": 3, "c": "x", "d": ["y"], "e": {"z": "1"}, "f": "w"}
    expected = Each(a=True, b=3, c="x", d=("y",), e={"z": "1"}, f="w")
    assert request(**right).read_options(Each) == expected
    assert request(**right | {"f": None}).read_options(Each).f is None
    wrong = {"a": 1, "b": True, "c": 7, "d": "y", "e": {"z": 1}, "f": 0}
    for name, value in wrong.items():
        with pytest.raises(InvalidParams, match=f"`{name}` is"):
            request(**right | {name: value}).read_options(Each)


def test_options_without_a_type_are_read_one_by_one() -> None:
    asked = request(c="x", e={"z": 1})
    assert (asked.text("c"), asked.values("e")) == ("x", {"z": 1})
    for read in (lambda: asked.text("e"), lambda: asked.values("c")):
        with pytest.raises(InvalidParams, match=r"`[ce]` is"):
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

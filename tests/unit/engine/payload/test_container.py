"""A container of ours: what it keeps of the body that it is made of, and what it puts in its place."""

from __future__ import annotations

import contextlib
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.engine.payload import container, interpreter, programs
from sandboxd.errors import EnvironmentFailure
from tests.patience import PATIENCE


@pytest.mark.parametrize("env", [["A=1", "B=2"], [], None])
def test_variables_and_mounts_of_the_body_stay_before_ours(env: list[str] | None) -> None:
    mount = {"Type": "bind", "Source": "/w", "Target": "/w"}
    body: dict[str, Any] = {"Image": "i", "Env": env, "HostConfig": {"Mounts": [mount]}}
    request = container._with_python(body, "/python", "/home-of-ours", 60)
    assert request["Env"] == [*(env or []), *interpreter.environment("/home-of-ours")]
    first, ours = request["HostConfig"]["Mounts"]
    assert first == mount
    assert (ours["Source"], ours["Target"], ours["ReadOnly"]) == ("/python", "/home-of-ours", True)
    assert request["HostConfig"]["AutoRemove"] is True
    assert (request["Entrypoint"], request["Healthcheck"]) == ([], {"Test": ["NONE"]})


def test_a_program_is_sent_whole_before_anything_is_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        programs._send(ours, b"the program", 5)
        theirs.settimeout(PATIENCE)
        assert theirs.recv(100) == b"the program"


def test_an_end_that_came_before_the_program_is_left_to_its_output_to_explain() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        programs._send(ours, b"x" * (1 << 22), 5)


@pytest.mark.parametrize("code", [126, 127])
def test_an_image_without_a_shell_is_said(code: int) -> None:
    assert interpreter.REASONS[code] == "it has no shell"


@pytest.mark.parametrize(
    ("mounts", "named"),
    [([], ""), (["/w"], ""), (["/w", "/data", "/cache"], "/cache, /data")],
)
def test_mounts_that_an_image_brings_are_refused(mounts: list[str], named: str) -> None:
    answer = {"Mounts": [{"Destination": mount} for mount in mounts]}
    engine: Any = SimpleNamespace(inspect=lambda _container: answer)
    with contextlib.ExitStack() as stack:
        if named:
            stack.enter_context(pytest.raises(EnvironmentFailure, match=f"asks for: {named}"))
        container._refuse_other_mounts(engine, "c", {"/w"})

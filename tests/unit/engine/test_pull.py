"""Getting an image: what is asked of the engine, and what its answer tells."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity
from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.pull import Done, pull
from sandboxd.errors import EnvironmentFailure
from tests.unit.engine.fake_engine import answering, raw


def answer_of(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\r\n" for event in events)


def loading(layer: str, loaded: int, total: int) -> dict[str, object]:
    detail = {"current": loaded, "total": total}
    return {"status": "Downloading", "id": layer, "progressDetail": detail}


def test_it_is_asked_for_by_name_and_tag_and_tells_how_far_it_is() -> None:
    asked = []
    unpacking = {"status": "Extracting", "id": "b", "progressDetail": {"current": 1, "total": 9}}
    events = [
        {"status": "Pulling from a/b", "id": "1"},
        loading("a", 1, 10),
        loading("b", 2, 20),
        loading("a", 10, 10),
        unpacking,
    ]

    def answer(method: str, target: str) -> tuple[int, object]:
        asked.append((method, target))
        return 200, answer_of(*events)

    told: list[Done] = []
    with answering(answer) as engine:
        pull(engine, "reg.example:5000/a/b:1", {}, told.append)
        pull(engine, "a/b", {}, told.append)
    of_name = "/images/create?fromImage=reg.example%3A5000%2Fa%2Fb&tag=1"
    assert asked == [("POST", of_name), ("POST", "/images/create?fromImage=a%2Fb&tag=latest")]
    assert told[:5] == [Done(0, 0), Done(1, 10), Done(3, 30), Done(12, 30), Done(12, 30)]


@pytest.mark.parametrize("status", [200, 404])
def test_what_the_registry_says_against_it_is_told(status: int) -> None:
    words = "manifest for a/b:1 not found"
    answer = answer_of({"error": words}) if status == 200 else {"message": words}
    with (
        answering(lambda *_: (status, answer)) as engine,
        pytest.raises(EngineFailure, match="did not get the image `a/b:1`: manifest for") as failed,
    ):
        pull(engine, "a/b:1", {}, lambda _: None)
    assert "docker login" in failed.value.hint


def login_sent(tmp_path: Path, image: str, environ: dict[str, str]) -> object:
    """What is in the header with the login; None without one."""
    heads = []

    def serve(connection: object) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)  # type: ignore[attr-defined]
        heads.append(head)
        answer = b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(answer)  # type: ignore[attr-defined]

    with raw(serve) as reached:
        engine = Engine(Identity(reached.identity.host, config=str(tmp_path)))
        pull(engine, image, environ, lambda _: None)
    name = b"X-Registry-Auth: "
    sent = [line for line in heads[-1].split(b"\r\n") if line.startswith(name)]
    return json.loads(base64.urlsafe_b64decode(sent[0].removeprefix(name))) if sent else None


def test_a_registry_gets_the_login_for_it_and_no_other(tmp_path: Path) -> None:
    login = base64.b64encode(b"me:word").decode()
    (tmp_path / "config.json").write_text(
        json.dumps({"auths": {"reg.example": {"auth": login}, "other.example": {"auth": login}}})
    )
    sent = login_sent(tmp_path, "reg.example/a", {})
    assert isinstance(sent, dict) and (sent["username"], sent["password"]) == ("me", "word")
    assert sent["serveraddress"] == "reg.example"
    assert login_sent(tmp_path, "reg.example.evil.example/a", {}) is None
    assert login_sent(tmp_path, "reg/example", {}) is None


def test_a_program_that_keeps_logins_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker-credential-mine"
    program.write_text('#!/bin/sh\ncat >"$ASKED"; echo \'{"Username": "me", "Secret": "word"}\'\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"reg.example": "mine"}}))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    environ = {"ASKED": str(tmp_path / "asked")}
    sent = login_sent(tmp_path, "reg.example/a:1", environ)
    assert isinstance(sent, dict) and (sent["Username"], sent["Password"]) == ("me", "word")
    assert (tmp_path / "asked").read_text() == "reg.example"
    program.write_text("#!/bin/sh\necho locked; exit 1\n")
    with pytest.raises(EnvironmentFailure, match="cannot be asked for") as failed:
        login_sent(tmp_path, "reg.example/a:1", environ)
    assert "docker login" in failed.value.hint


def test_a_name_that_no_registry_can_have_is_said() -> None:
    with (
        answering(lambda *_: (200, b"")) as engine,
        pytest.raises(EnvironmentFailure, match="cannot be asked for"),
    ):
        pull(engine, "https://reg.example/a", {}, lambda _: None)

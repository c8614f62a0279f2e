"""What is said to a command in a Pod and what is heard of it, by the channel protocol."""

from __future__ import annotations

import json
import queue
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from httpx2.websockets import WebSocketDisconnect, WebSocketUpgradeError

from sandboxd.backends.kubernetes import channels
from sandboxd.backends.kubernetes.channels import CannotBegin, Channels, NoEndOfInput, PodGone
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.patience import Patience
from sandboxd.errors import SandboxdError

NEW, OLD = "v5.channel.k8s.io", "v4.channel.k8s.io"
SUCCESS = b"\x03" + json.dumps({"status": "Success"}).encode()


def failed(code: str) -> bytes:
    causes = [{"reason": "ExitCode", "message": code}]
    status = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    return b"\x03" + json.dumps(status).encode()


class Session:
    """A WebSocket whose other end has `messages` to say, and then nothing or `end`."""

    def __init__(self, protocol: str, *messages: bytes, end: Exception | None = None) -> None:
        self.subprotocol = protocol
        self.messages = list(messages)
        self.end = end
        self.sent: list[bytes] = []
        self.stream = SimpleNamespace(get_extra_info=lambda _: None)

    def receive_bytes(self, timeout: float | None) -> bytes:
        if self.messages:
            return self.messages.pop(0)
        raise self.end or queue.Empty

    def receive(self, timeout: float) -> object:
        raise WebSocketDisconnect(1000)

    def send_bytes(self, data: bytes) -> None:
        if self.end is not None:
            raise self.end
        self.sent.append(data)


class OneCluster:
    """A cluster that answers each command with `session`, or refuses it with (status, text)."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(self, session: Session | tuple[int, str]) -> None:
        self.http, self.patience = self, Patience()
        self.session = session
        self.asked: dict[str, Any] = {}
        self.is_closed = False

    def path(self, pod: str, what: str) -> str:
        return f"/api/v1/namespaces/shop/pods/{pod}/{what}"

    def websocket(self, path: str, **options: Any) -> OneCluster:
        self.asked = {"path": path, **options}
        return self

    def __enter__(self) -> Session:
        if isinstance(self.session, Session):
            return self.session
        status, text = self.session
        raise WebSocketUpgradeError(httpx2.Response(status, text=text))

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


def begin(session: Session | tuple[int, str], **options: Any) -> tuple[Channels, OneCluster]:
    cluster = OneCluster(session)
    command = Channels(cluster, "box", ["make", "test"], **options)  # type: ignore[arg-type]
    return command, cluster


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        ({}, [("stdout", "true"), ("stderr", "true")]),
        ({"stdin": True}, [("stdout", "true"), ("stdin", "true"), ("stderr", "true")]),
        ({"tty": True, "stdin": True}, [("stdout", "true"), ("stdin", "true"), ("tty", "true")]),
    ],
)
def test_a_terminal_has_one_stream_for_both_outputs(
    options: dict[str, bool], streams: list[tuple[str, str]]
) -> None:
    _, cluster = begin(Session(NEW), **options)
    assert cluster.asked["path"].endswith("/pods/box/exec")
    assert cluster.asked["params"] == [
        ("container", "workspace"), *streams, ("command", "make"), ("command", "test")
    ]  # fmt: skip


def test_output_comes_with_its_stream_until_the_exit_code() -> None:
    command, _ = begin(
        Session(NEW, b"\x01", b"\x01one", b"\x02two", b"\x09what", failed("7"), b"\x01no")
    )
    assert list(command.pieces()) == [(1, b"one"), (2, b"two")]
    assert command.code == 7


def test_a_command_that_ends_well_has_code_0() -> None:
    command, _ = begin(Session(OLD, SUCCESS))
    assert list(command.pieces()) == []
    assert command.code == 0


def test_silence_is_told_and_can_be_waited_for_again() -> None:
    session = Session(NEW)
    command, _ = begin(session)
    with pytest.raises(TimeoutError):
        list(command.pieces(1.0))
    session.messages = [b"\x01late", SUCCESS]
    assert list(command.pieces(1.0)) == [(1, b"late")]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"status": "Failure", "message": "exec: \n no such file"}, "exec: no such file"),
        ({"reason": "NonZeroExitCode", "message": "lost", "details": {}}, ""),
        ({"reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "x"}]}}, "x"),
        (["no", "status"], "no"),
    ],
)  # fmt: skip
def test_an_end_without_exit_code_is_no_success(status: object, words: str) -> None:
    command, _ = begin(Session(NEW, b"\x03" + json.dumps(status).encode()))
    with pytest.raises(CannotBegin) as told:
        list(command.pieces())
    assert words in told.value.words
    assert "the node cannot run a command in the Pod `box`" in str(told.value)


def test_an_answer_that_is_nested_without_end_is_no_bug_of_ours() -> None:
    deep = "[" * 100_000
    command, _ = begin(Session(NEW, b"\x03" + deep.encode()))
    with pytest.raises(CannotBegin, match="cannot run a command in the Pod `box`"):
        list(command.pieces())
    with pytest.raises(SandboxdError, match="run a command in the Pod"):
        begin((400, deep))


def test_a_connection_that_breaks_off_is_no_end() -> None:
    command, _ = begin(Session(NEW, b"\x01half", end=WebSocketDisconnect(1006)))
    heard = command.pieces()
    assert next(heard) == (1, b"half")
    with pytest.raises(PodGone, match="the connection to the Pod `box` broke off") as told:
        next(heard)
    assert told.value.hint == "`sandboxd status --on team` shows whether it still runs"


def test_input_goes_in_pieces_and_its_end_is_told_where_the_server_knows_one() -> None:
    session = Session(NEW)
    command, _ = begin(session, stdin=True)
    command.send(b"x" * 70_000)
    command.send(b"")
    command.end_input()
    assert [len(each) for each in session.sent] == [65_537, 4_465, 2]
    assert {each[:1] for each in session.sent[:2]} == {b"\x00"}
    assert session.sent[2] == b"\xff\x00"


def test_an_old_server_hears_no_end_of_input() -> None:
    session = Session(OLD)
    command, _ = begin(session, stdin=True)
    assert not command.can_end_input
    command.end_input()
    assert session.sent == []


def test_the_size_of_a_terminal_has_its_width_apart_from_its_height() -> None:
    session = Session(NEW)
    command, _ = begin(session, tty=True)
    command.resize(24, 80)
    assert session.sent[0][:1] == b"\x04"
    assert json.loads(session.sent[0][1:]) == {"Width": 80, "Height": 24}


class LocalProtocolError(Exception):
    """As the library of the protocol names it."""


@pytest.mark.parametrize(
    "fault",
    [
        WebSocketDisconnect(1006),
        httpx2.ReadError("reset"),
        OSError(32, "pipe"),
        LocalProtocolError(),
    ],
)
def test_input_that_nobody_takes_means_the_pod_is_gone(fault: Exception) -> None:
    command, _ = begin(Session(NEW, end=fault), stdin=True)
    with pytest.raises(PodGone):
        command.send(b"more")


def test_a_mistake_of_ours_is_not_told_as_a_lost_connection() -> None:
    command, _ = begin(Session(NEW, end=ZeroDivisionError()), stdin=True)
    with pytest.raises(ZeroDivisionError):
        command.send(b"more")


def test_where_input_has_to_end_an_old_protocol_is_neither_offered_nor_taken() -> None:
    _, cluster = begin(Session(NEW), must_end_input=True)
    assert cluster.asked["subprotocols"] == [NEW]
    _, cluster = begin(Session(OLD))
    assert cluster.asked["subprotocols"] == [NEW, OLD]
    silent = OneCluster(Session(OLD))
    with pytest.raises(NoEndOfInput):
        Channels(silent, "box", ["sh"], must_end_input=True)  # type: ignore[arg-type]
    assert silent.is_closed


def said(reason: str, message: str) -> str:
    return json.dumps({"kind": "Status", "reason": reason, "message": message})


@pytest.mark.parametrize(
    ("status", "text", "options", "kind", "words"),
    [
        (404, said("NotFound", 'pods "box" not found'), {}, PodGone, "no Pod `box` in the namespace `shop`"),
        (400, said("BadRequest", "container workspace is not valid"), {}, PodGone, "does not run: container workspace"),
        (500, said("", "cannot exec in a stopped\n container"), {}, PodGone, "does not run: cannot exec in a stopped container"),
        (400, "unable to upgrade", {"must_end_input": True}, NoEndOfInput, "older than Kubernetes 1.30"),
        (403, "", {"must_end_input": True}, NoEndOfInput, "older than Kubernetes 1.30"),
        (403, said("Forbidden", "pods/exec"), {"must_end_input": True}, SandboxdError, "run a command in the Pod"),
        (400, "unable to upgrade", {}, SandboxdError, "run a command in the Pod"),
    ],
)  # fmt: skip
def test_a_refused_command_says_why(
    status: int, text: str, options: dict[str, bool], kind: type[SandboxdError], words: str
) -> None:
    with pytest.raises(kind) as told:
        begin((status, text), **options)
    assert words in str(told.value)
    assert isinstance(told.value, kind)
    if kind is SandboxdError:
        assert not isinstance(told.value, PodGone | NoEndOfInput)


def test_a_command_is_cut_off_once_its_part_of_the_work_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "_END_SECONDS", 0.5)
    command, cluster = begin(Session(NEW))
    with command:
        assert not cluster.is_closed
    assert cluster.is_closed

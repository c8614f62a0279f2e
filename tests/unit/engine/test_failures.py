"""Each way in which an engine is not there, or says no, has words of its own and a next step."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.engine import client as engine_module
from sandboxd.engine import failures
from sandboxd.engine.client import Exec, connect_from
from sandboxd.errors import EnvironmentFailure
from tests.unit.engine.fake_engine import answering, raw


def failure(act: Callable[[], object]) -> EnvironmentFailure:
    with pytest.raises(EnvironmentFailure) as caught:
        act()
    error = caught.value
    assert error.exit_code == 4
    assert error.message[0].islower()
    assert not error.message.endswith(".")
    assert error.hint
    return error


def test_absent(tmp_path: Path) -> None:
    engine = connect_from({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    error = failure(lambda: engine.inspect("x"))
    assert error.message == f"there is no container engine at `unix://{tmp_path}/none.sock`"
    assert "systemctl start docker" in error.hint


def test_refused() -> None:
    with tempfile.TemporaryDirectory(prefix="sbx-") as folder:
        path = f"{folder}/dead.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        engine = connect_from({"DOCKER_HOST": f"unix://{path}"})
        assert "refuses connections" in failure(lambda: engine.inspect("x")).message
        request = Exec(["true"])
        assert "refuses connections" in failure(lambda: engine.exec_create("x", request)).message


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", denied)
    error = failure(lambda: connect_from({"DOCKER_HOST": "unix:///x"}).inspect("x"))
    assert error.message == "no permission to use the container engine at `unix:///x`"
    assert "usermod -aG docker" in error.hint


def silent(connection: socket.socket) -> None:
    """Hear everything and answer nothing, until the client goes."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def test_hanging() -> None:
    with raw(silent, 0.2) as engine:
        error = failure(lambda: engine.inspect("x"))
    assert "does not answer" in error.message
    assert engine_module.ANSWER_SECONDS == 10


@pytest.mark.parametrize(
    "words",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"\x00\xff garbage\r\n\r\n"],
)
def test_broken_off(words: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(words)

    with raw(serve) as engine:
        assert "broke off" in failure(lambda: engine.inspect("x")).message
        if not words.startswith(b"HTTP"):
            # A taken-over connection has no length: what ends early there is the command's output.
            assert "broke off" in failure(lambda: engine.exec_start("x", tty=False)).message


def test_an_answer_that_is_no_json() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"
        connection.sendall(head + b"{oh}")

    with raw(serve) as engine:
        assert "broke off" in failure(lambda: engine.inspect("x")).message


@pytest.mark.parametrize(
    "host",
    [
        *("npipe:////./pipe/docker", "nonsense", "fd://", "tcp://there:port", "tcp://there:0"),
        *("ssh://", "ssh://-oProxyCommand=x", "ssh://-l@there", "ssh://me:word@there"),
    ],
)
def test_an_address_that_cannot_be_spoken_to(host: str) -> None:
    assert f"`{host}`" in failure(lambda: connect_from({"DOCKER_HOST": host})).message


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "DOCKER_CONTEXT": "colima"}
    assert "no docker context `colima`" in failure(lambda: connect_from(environ)).message


def test_no_image() -> None:
    with answering(lambda *_: (404, {"message": "No such image: a/b:1"})) as engine:
        error = failure(lambda: engine.image_id("a/b:1"))
    assert error.message == "the container engine has no image `a/b:1`"
    assert "docker pull a/b:1" in error.hint
    assert "docker import" in error.hint


# What engines really say: dockerd 26, runc 1.1, runsc 20240729.
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("mkdir /var/lib/docker/x: no space left on device", "no disk space left"),
        ("unknown or invalid runtime name: kata", "has no runtime `kata`"),
        (
            "preparing container 1a for attach: netavark: nftables error: unable to execute nft: No such "
            "file or directory (os error 2)",
            "the machine of this Podman has no program `nft`",
        ),
        (
            'could not find pasta, the network namespace can\'t be configured: exec: "pasta": executable '
            "file not found in $PATH",
            "the machine of this Podman has no program `pasta`",
        ),
        (
            'Conflict. The container name "/sandboxd-x" is already in use by container "1a". You '
            "have to remove (or rename) that container to be able to reuse that name.",
            "a container named `sandboxd-x` exists that sandboxd did not make",
        ),
        ("No such container: abc", "not running"),
        ("container abc123 is not running", "not running"),
        (
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            'runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: '
            "no such file or directory: unknown",
            "the image has no program `/bin/sh`",
        ),
        (
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            "unable to retrieve OCI runtime error (open log.json: no such file or directory): "
            "fork/exec /opt/runsc: no such file or directory: unknown",
            "the runtime's program `/opt/runsc` cannot be started: no such file or directory",
        ),
        (
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            "creating container: cannot create sandbox: EOF: unknown",
            "the runtime could not start the container: creating container: cannot create sandbox: EOF",
        ),
        (
            'invalid mount config for type "bind": bind source path does not exist: /no/such',
            "the folder or file `/no/such` to mount is not there",
        ),
        ("network agents not found", "has no network `agents`"),
        ("something never seen", "refused the request: something never seen"),
    ],
)
def test_each_message_of_the_engine_has_its_own_words(message: str, words: str) -> None:
    error = failure(lambda: (_ for _ in ()).throw(failures.refused(500, message)))
    assert words in error.message


def test_a_start_time_out_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "START_SECONDS", 0.3)
    with raw(silent) as engine:
        assert "waited 0.3 s" in failure(lambda: engine.create("x", {})).message


LOST = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: waiting for init preliminary setup: read init-p: connection reset by peer: unknown"
)


@pytest.mark.parametrize(
    ("answers", "asked", "raised"),
    [
        ([(500, {"message": LOST}), (204, None)], 2, None),
        ([(500, {"message": LOST})] * 3, 2, failures.LostInit),
        (
            [(500, {"message": LOST}), (404, {"message": "No such container: c1"})],
            2,
            failures.LostInit,
        ),
        (
            [(500, {"message": LOST.replace("init-p", "pipe")}), (204, None)],
            1,
            failures.CannotStart,
        ),
    ],
    ids=["lost-once", "lost-again", "lost-and-removed", "failed-otherwise"],
)
def test_a_start_whose_runtime_lost_its_own_process_is_tried_once_more(
    answers: list[tuple[int, object]], asked: int, raised: type[Exception] | None
) -> None:
    left = list(answers)
    with answering(lambda *_: left.pop(0)) as engine:
        if raised is None:
            engine.start("c1")
        else:
            assert isinstance(failure(lambda: engine.start("c1")), raised)
    assert len(answers) - len(left) == asked

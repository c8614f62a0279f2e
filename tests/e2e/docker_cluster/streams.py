"""`exec` and `log` of a Pod: the container's own streams, in the channels of Kubernetes.

Source: https://kubernetes.io/blog/2024/08/20/websockets-transition/ and
k8s.io/apimachinery/pkg/util/remotecommand (v5 adds that one channel can be closed).
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import docker

from tests.e2e.docker_cluster.websocket import WebSocket

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSED = 0, 1, 2, 3, 4, 255


class Command(NamedTuple):
    container: str
    words: list[str]
    stdin: bool
    tty: bool


def run(api: docker.APIClient, command: Command, peer: WebSocket, protocol: str) -> None:
    """Run a command in a container, say how it ended, and close."""
    made = api.exec_create(
        command.container, command.words, stdin=command.stdin, tty=command.tty
    )["Id"]  # fmt: skip
    try:
        started = api.exec_start(made, tty=command.tty, socket=True)
    except docker.errors.APIError as error:
        peer.send(bytes([_ERROR]) + json.dumps(_not_started(str(error.explanation))).encode())
        peer.close()
        return
    engine: socket.socket = started._sock
    engine.settimeout(None)
    feeder = threading.Thread(target=_feed, args=(api, made, engine, peer, protocol), daemon=True)
    feeder.start()
    with contextlib.suppress(OSError):
        # Not of the socket: what came with the answer's head is in the reader's buffer already.
        _pass_on(started._response.raw._fp.fp, peer, command.tty)
        code = api.exec_inspect(made)["ExitCode"]
        peer.send(bytes([_ERROR]) + json.dumps(_ended(code)).encode())
    with contextlib.suppress(OSError):
        engine.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        peer.close()
    # Not under a thread that may be about to send: the number of a closed descriptor is soon another connection's.
    feeder.join()
    # The answer first: in Python 3.13 it complains of a reader that was closed before it.
    started._response.close()
    started.close()


def _ended(code: int) -> dict[str, Any]:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    message = f"command terminated with non-zero exit code: exit status {code}"
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": {"causes": causes}}  # fmt: skip


def _not_started(why: str) -> dict[str, Any]:
    message = f"Internal error occurred: error executing command in container: {why}"
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}  # fmt: skip


def _feed(
    api: docker.APIClient, made: str, engine: socket.socket, peer: WebSocket, protocol: str
) -> None:
    """What the client sends, into the command; with v4 nothing can end its input but the connection."""
    with contextlib.suppress(OSError, ValueError, docker.errors.APIError):
        while message := peer.receive():
            channel, data = message[0], message[1:]
            if channel == _STDIN and data:
                engine.sendall(data)
            elif channel == _RESIZE:
                size = json.loads(data)
                api.exec_resize(made, height=size["Height"], width=size["Width"])
            elif channel == _CLOSED and protocol == V5 and data == bytes([_STDIN]):
                _await_start(api, made)
                engine.shutdown(socket.SHUT_WR)
        # Gone: what is still running has nobody to write to.
        engine.shutdown(socket.SHUT_RDWR)


def _await_start(api: docker.APIClient, made: str) -> None:
    """Input that ends before its command has begun, the engine does not end at all."""
    while (state := api.exec_inspect(made))["ExitCode"] is None and not state["Running"]:
        time.sleep(0.02)


def _pass_on(source: io.BufferedReader, peer: WebSocket, tty: bool) -> None:
    if tty:
        while data := source.read1(1 << 15):
            peer.send(bytes([_STDOUT]) + data)
        return
    while len(head := source.read(8)) == 8:
        channel, size = struct.unpack("!BxxxL", head)
        data = source.read(size)
        peer.send(bytes([_STDERR if channel == 2 else _STDOUT]) + data)


def log(
    api: docker.APIClient, container: str, query: dict[str, str], write: Callable[[bytes], None]
) -> None:
    """Write the log of a container, and with `follow` what is added until it ends."""
    tail = query.get("tailLines", "all")
    since: float | datetime | None = None
    if "sinceSeconds" in query:
        since = time.time() - float(query["sinceSeconds"])
    elif "sinceTime" in query:
        since = datetime.fromisoformat(query["sinceTime"])
    lines = api.logs(
        container,
        stream=True,
        follow=query.get("follow") == "true",
        timestamps=query.get("timestamps") == "true",
        tail=int(tail) if tail.isdigit() else tail,
        since=since,
    )
    for line in lines:
        write(line)

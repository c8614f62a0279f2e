"""Runs in a container of ours in a sandbox's Pod, before anything of the project: tries whether its network is closed.

Only the standard library, Python 3.11 or newer; it is sent as text. It ends as soon as it was seen, three times in a
row, that the place which is allowed answers and that none of the others does. A policy may come into force a moment
after the Pod: what is reached at first is tried again for a while. The outcome is the container's termination message.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
import sys
import time
from typing import Any

ENOUGH = 3
"""Times in a row that the network has to be closed."""
ALLOWED_SECONDS, FORBIDDEN_SECONDS, PAUSE_SECONDS = 3.0, 1.5, 0.5
KUBELET_PORT = 10250


def main(task: dict[str, Any]) -> int:
    """Write the outcome to the file `message` of `task`; returns the exit code: 0 where the Pod may go on."""
    outcome = tried(task, forbidden_places(task["forbidden"], os.environ))
    with open(task["message"], "w", encoding="ascii") as file:
        json.dump(outcome, file)
    print(f"{outcome['outcome']}: {outcome['evidence']}", flush=True)
    return 0 if outcome["outcome"] == "enforced" or not task["required"] else 1


def forbidden_places(places: list[Any], environ: Any) -> list[tuple[str, int]]:
    """`places`, the node's kubelet and the API server, which listen on every cluster and which no policy allows."""
    result = [(str(address), int(port)) for address, port in places]
    if environ.get("SANDBOXD_HOST_IP"):
        result.append((environ["SANDBOXD_HOST_IP"], KUBELET_PORT))
    port = environ.get("KUBERNETES_SERVICE_PORT", "")
    if environ.get("KUBERNETES_SERVICE_HOST") and port.isdecimal():
        result.append((environ["KUBERNETES_SERVICE_HOST"], int(port)))
    return list(dict.fromkeys(result))


def tried(task: dict[str, Any], forbidden: list[tuple[str, int]]) -> dict[str, str]:
    """The outcome, ``enforced``, ``open`` or ``not checked``, and the evidence in words.

    :param task: `allowed`, an address and a port or None; `wait_seconds`, in which it has to answer; `open_seconds`,
        in which what is reached has to be closed
    """
    allowed = tuple(task["allowed"]) if task["allowed"] else None
    if not forbidden:
        return result("not checked", "there is nothing that must not be reached to try it with")
    begin, opened, row = time.monotonic(), None, 0
    while row < ENOUGH:
        now = time.monotonic()
        if allowed is not None and not reached([allowed], ALLOWED_SECONDS):
            if now - begin > task["wait_seconds"]:
                return result("not checked", f"the gateway at {words(allowed)} does not answer")
            row = 0
        elif places := reached(forbidden, FORBIDDEN_SECONDS):
            opened = now if opened is None else opened
            if now - opened >= task["open_seconds"]:
                listed = ", ".join(map(words, places))
                return result("open", f"{listed} was reached from inside, which no policy allows")
            row = 0
        else:
            row += 1
        if row < ENOUGH:
            time.sleep(PAUSE_SECONDS)
    listed = ", ".join(map(words, forbidden))
    beside = f"; the gateway at {words(allowed)} answered each time" if allowed else ""
    return result("enforced", f"{ENOUGH} times in a row {listed} could not be reached{beside}")


def reached(places: list[Any], seconds: float) -> list[Any]:
    """The places of which each takes a connection within `seconds`; all are tried at the same time."""
    waiting: dict[int, tuple[socket.socket, Any]] = {}
    done = []
    with contextlib.ExitStack() as stack:
        for place in places:
            family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            try:
                channel = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                channel.setblocking(False)
                code = channel.connect_ex(place)
            except OSError:
                continue
            if code == 0:
                done.append(place)
            elif code == errno.EINPROGRESS:
                waiting[channel.fileno()] = (channel, place)
        end = time.monotonic() + seconds
        while waiting:
            # Also where the time is over: a machine that stood still meanwhile has not seen the answers that came.
            ready = select.select([], list(waiting), [], max(0.0, end - time.monotonic()))[1]
            if not ready:
                break
            for descriptor in ready:
                channel, place = waiting.pop(descriptor)
                if channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    done.append(place)
    return done


def words(place: Any) -> str:
    return f"{place[0]} port {place[1]}"


def result(outcome: str, evidence: str) -> dict[str, str]:
    return {"outcome": outcome, "evidence": evidence}


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))

"""Reads the output of a Pod's main process."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import failures
from sandboxd.backends.kubernetes.api import explained
from sandboxd.backends.kubernetes.channels import CONTAINER, no_pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.api import Cluster

_CONNECT_SECONDS = 15.0


def show(
    cluster: Cluster,
    pod: str,
    *,
    follow: bool,
    tail: str,
    since: int,
    write: Callable[[bytes], None],
    container: str = CONTAINER,
    since_there: int = 0,
) -> None:
    """Pass the output to `write`, piece by piece; stdout and stderr are mixed.

    :param tail: the number of last lines, or ``all``
    :param since: in seconds since 1970 by this machine's clock; 0 for all output
    :param since_there: the same by the clock of the Pod's node; used where `since` is 0
    :raises PodGone: there is no such Pod, or the connection broke
    """
    import httpx2

    params = {"container": container, **({"follow": "true"} if follow else {})}
    if tail != "all":
        params["tailLines"] = tail
    if since:
        # So long ago, and not at that time: the node's clock may be another.
        params["sinceSeconds"] = str(max(1, round(time.time() - since)))
    elif since_there:
        moment = datetime.fromtimestamp(since_there, UTC)
        params["sinceTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    # One that follows may be silent for days.
    timeout = httpx2.Timeout(_CONNECT_SECONDS, read=None if follow else _CONNECT_SECONDS)
    path = cluster.path(pod, "log")
    with explained(cluster.context, "read its log"), contextlib.ExitStack() as stack:

        def ask() -> httpx2.Response:
            with explained(cluster.context, "read its log"):
                return stack.enter_context(
                    cluster.http.stream("GET", path, params=params, timeout=timeout)
                )

        answer = cluster.patience.ask(ask)
        if answer.status_code == 404:
            raise no_pod(cluster.context, pod)
        # A redirect, too: it is not followed, and its text is no log.
        if answer.status_code >= 300:
            answer.read()
            raise failures.refused(
                cluster.context, "read its log", answer.status_code, "", answer.text
            )
        for piece in answer.iter_bytes():
            write(piece)

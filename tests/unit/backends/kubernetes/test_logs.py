"""A log is asked for by how long ago, so that the clock of a node has no say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.kubernetes import logs
from sandboxd.backends.kubernetes.failures import Refused
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.patience import Patience


class Cluster:
    """Keeps what is asked for."""

    context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")

    def __init__(self) -> None:
        self.http, self.patience = self, Patience()
        self.params: dict[str, str] = {}

    def path(self, pod: str, action: str) -> str:
        return f"/{pod}/{action}"

    @contextlib.contextmanager
    def stream(self, _method: str, _path: str, params: dict[str, str], **_: Any) -> Iterator[Any]:
        self.params = params
        yield type("Answer", (), {"status_code": 200, "iter_bytes": lambda _: [b"line\n"]})()


@pytest.mark.parametrize(("since", "asked"), [(0, None), (940, "60"), (1000, "1"), (2000, "1")])
def test_since_is_an_age(since: int, asked: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs.time, "time", lambda: 1000.0)
    cluster: Any = Cluster()
    pieces: list[bytes] = []
    logs.show(cluster, "x", follow=False, tail="5", since=since, write=pieces.append)
    assert pieces == [b"line\n"] and cluster.params.get("sinceSeconds") == asked
    assert cluster.params["tailLines"] == "5" and cluster.params["container"] == "workspace"


def test_a_moment_of_the_nodes_clock_is_told_as_one() -> None:
    cluster: Any = Cluster()
    logs.show(cluster, "x", follow=False, tail="all", since=0, since_there=86400, write=len)
    assert cluster.params == {"container": "workspace", "sinceTime": "1970-01-02T00:00:00Z"}


def test_what_leads_elsewhere_is_no_empty_log() -> None:
    """It is not followed: the token would go there, and the cluster may be one that a policy does not allow."""

    class Elsewhere(Cluster):
        @contextlib.contextmanager
        def stream(self, *_: Any, **_options: Any) -> Iterator[Any]:
            yield SimpleNamespace(status_code=302, text="", read=bytes, iter_bytes=list)

    cluster: Any = Elsewhere()
    with pytest.raises(Refused, match="refuses to read its log: code 302"):
        logs.show(cluster, "x", follow=False, tail="all", since=0, write=len)

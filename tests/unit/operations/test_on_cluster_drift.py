"""What became of a sandbox on a cluster: its objects, and what a process in it says of itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.kubernetes import api, records, running
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.records import Record
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster import drift

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop-gateway"},
    "spec": {"clusterIP": "10.96.0.7"},
}
HELD = {
    "CapEff": "0000000000000000",
    "CapBnd": "0000000000000000",
    "NoNewPrivs": "1",
    "Uid": "1000\t1000\t1000\t1000",
    "Seccomp": "2",
}
RIGHT = {
    "capabilities: none",
    "capabilities to gain: none",
    "no-new-privileges: on",
    "user: 1000",
    "seccomp: a filter",
}


class Running:
    """A sandbox that runs on a cluster, and a status that a process in it shows."""

    def __init__(self, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.live: dict[str, Any] | None = SERVICE
        self.status = dict(HELD)
        self.target: Any = SimpleNamespace(
            cluster=self, pod="shop", environ=environ, option=" --on team"
        )
        self.context = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")
        self.note(uid="1")
        monkeypatch.setattr(running, "quietly", self.run)

    def note(self, uid: str, objects: Sequence[dict[str, Any]] = (SERVICE,)) -> None:
        record = Record(uid, 1, "/w", {}, (), objects)
        records.note(self.target.environ, self.context, "shop", record)

    def get(self, kind: api.Kind, _name: str) -> dict[str, Any] | None:
        if kind != api.POD:
            return self.live
        state: dict[str, Any] = {"state": {"running": {}}}
        return {
            "metadata": {"name": "shop", "uid": "1"},
            "spec": {
                "securityContext": {"runAsUser": 1000},
                "containers": [{"name": "workspace", "image": "team/shop:1"}],
            },
            "status": {"phase": "Running", "containerStatuses": [state]},
        }

    def run(self, _cluster: object, pod: str, words: Sequence[str]) -> tuple[int, str]:
        """The command really runs, on this machine: its answer has each field that the status is to have."""
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert pod == "shop"
        assert all(f"\n{name}:\t" in shown for name in HELD)
        return 0, "".join(f"{name}:\t{value}\n" for name, value in self.status.items())

    def compared(self) -> drift.Compared:
        return drift.compare(self.target)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return Running({"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}, monkeypatch)


def test_nothing_has_become_of_what_is_as_it_was_applied(sandbox: Running) -> None:
    compared = sandbox.compared()
    assert (compared.pod, compared.differences) == ("shop", ())
    assert set(compared.inside) == RIGHT


@pytest.mark.parametrize(
    ("live", "says"),
    [
        (None, "the Service `shop-gateway` is gone"),
        (
            {**SERVICE, "spec": {"clusterIP": "10.96.0.8"}},
            "Service `shop-gateway`: `spec.clusterIP` is `10.96.0.8`, and was `10.96.0.7`",
        ),
    ],
)
def test_an_object_that_is_gone_or_changed_is_named(
    sandbox: Running, live: dict[str, Any] | None, says: str
) -> None:
    sandbox.live = live
    assert sandbox.compared().differences == (says,)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("CapEff", "0000000000000400", "capabilities inside: `0000000000000400`, and not none"),
        ("CapBnd", "0000000000200000", "capabilities to gain inside: `0000000000200000`, and not none"),
        ("NoNewPrivs", "0", "no-new-privileges inside: `0`, and not on"),
        ("Uid", "0\t0\t0\t0", "user inside: `0`, and not 1000"),
    ],
)  # fmt: skip
def test_what_a_process_inside_has_too_much_is_a_difference(
    sandbox: Running, field: str, value: str, says: str
) -> None:
    sandbox.status[field] = value
    compared = sandbox.compared()
    assert compared.differences == (says,)
    assert set(compared.inside) < RIGHT


@pytest.mark.parametrize("field", ["CapEff", "CapBnd", "NoNewPrivs", "Uid"])
def test_what_the_sandbox_does_not_say_was_not_checked(sandbox: Running, field: str) -> None:
    del sandbox.status[field]
    compared = sandbox.compared()
    assert compared.differences == ()
    assert sum("not checked" in line for line in compared.inside) == 1


@pytest.mark.parametrize("state", ["0", "1", ""])
def test_a_filter_that_is_not_seen_inside_is_no_difference(sandbox: Running, state: str) -> None:
    sandbox.status["Seccomp"] = state
    assert "seccomp: not seen inside" in sandbox.compared().inside


@pytest.mark.parametrize("is_another", [True, False])
def test_only_the_machine_that_applied_them_can_compare(sandbox: Running, is_another: bool) -> None:
    if is_another:
        sandbox.note(uid="2")
    else:
        sandbox.note(uid="1", objects=())
    with pytest.raises(UsageError, match="noted on the machine that started") as raised:
        sandbox.compared()
    assert "`sandboxd status --on team`" in str(raised.value.hint)

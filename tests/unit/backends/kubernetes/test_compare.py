"""What became of a sandbox on a cluster: its objects, and what a process in it says of itself."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.backend import Comparison
from sandboxd.backends.kubernetes import api, records, running
from sandboxd.backends.kubernetes.compare import compare
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.records import Record
from sandboxd.errors import UsageError
from sandboxd.observe.control import Control
from sandboxd.observe.drift import Drift

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
    Control(name, "not seen", f"{value}, by the word of the sandbox")
    for name, value in (
        ("capabilities", "none"),
        ("capabilities to gain", "none"),
        ("no-new-privileges", "on"),
        ("user", "1000"),
        ("seccomp", "a filter"),
    )
}


class Running:
    """A sandbox that runs on a cluster, and a status that a process in it shows."""

    def __init__(self, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.live: dict[str, Any] | None = SERVICE
        self.status = dict(HELD)
        self.target: Any = SimpleNamespace(
            cluster=self, sandbox="/w", pod="shop", environ=environ, option=" --on team"
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

    def compared(self) -> Comparison:
        return compare(self.target)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return Running({"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}, monkeypatch)


def test_nothing_has_become_of_what_is_as_it_was_applied(sandbox: Running) -> None:
    compared = sandbox.compared()
    assert (compared.container, compared.differences, compared.hint) == ("shop", (), "")
    assert set(compared.controls) == RIGHT


@pytest.mark.parametrize(
    ("live", "says"),
    [
        (None, Drift("Service `shop-gateway`", "applied", "")),
        (
            {**SERVICE, "spec": {"clusterIP": "10.96.0.8"}},
            Drift("Service `shop-gateway` `spec.clusterIP`", "10.96.0.7", "10.96.0.8"),
        ),
    ],
)
def test_an_object_that_is_gone_or_changed_is_named(
    sandbox: Running, live: dict[str, Any] | None, says: Drift
) -> None:
    sandbox.live = live
    compared = sandbox.compared()
    assert compared.differences == (says,)
    assert compared.hint.startswith("`sandboxd up --on team --recreate`")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("CapEff", "0000000000000400", Drift("capabilities inside", "none", "0000000000000400")),
        ("CapBnd", "0000000000200000", Drift("capabilities to gain inside", "none", "0000000000200000")),
        ("NoNewPrivs", "0", Drift("no-new-privileges inside", "on", "0")),
        ("Uid", "0\t0\t0\t0", Drift("user inside", "1000", "0")),
    ],
)  # fmt: skip
def test_what_a_process_inside_has_too_much_is_a_difference(
    sandbox: Running, field: str, value: str, says: Drift
) -> None:
    sandbox.status[field] = value
    compared = sandbox.compared()
    assert compared.differences == (says,)
    assert set(compared.controls) < RIGHT


@pytest.mark.parametrize("field", ["CapEff", "CapBnd", "NoNewPrivs", "Uid"])
def test_what_the_sandbox_does_not_say_was_not_checked(sandbox: Running, field: str) -> None:
    del sandbox.status[field]
    compared = sandbox.compared()
    assert compared.differences == ()
    assert sum(each.why == "the sandbox does not say" for each in compared.controls) == 1


@pytest.mark.parametrize("state", ["0", "1", ""])
def test_a_filter_that_is_not_seen_inside_is_no_difference(sandbox: Running, state: str) -> None:
    sandbox.status["Seccomp"] = state
    assert Control("seccomp", "not seen", "not seen inside either") in sandbox.compared().controls


@pytest.mark.parametrize("is_another", [True, False])
def test_only_the_machine_that_applied_them_can_compare(sandbox: Running, is_another: bool) -> None:
    if is_another:
        sandbox.note(uid="2")
    else:
        sandbox.note(uid="1", objects=())
    with pytest.raises(UsageError, match="noted on the machine that started") as raised:
        sandbox.compared()
    assert "`sandboxd status --on team`" in str(raised.value.hint)

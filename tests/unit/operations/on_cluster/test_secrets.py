"""No secret goes to a cluster unrecorded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.audit.record import RecordFailure
from sandboxd.operations import _credentials
from sandboxd.operations.on_cluster import _secrets


def test_no_secret_goes_to_a_cluster_unrecorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []
    gateway = SimpleNamespace(give=given.append)
    monkeypatch.setattr(_secrets, "PodGateway", lambda _target: gateway)
    monkeypatch.setattr(
        _credentials, "resolve", lambda *_: SimpleNamespace(credentials="the secrets")
    )
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    context = SimpleNamespace(name="work", server="https://api.example", namespace="mine")
    target: Any = SimpleNamespace(
        environ=environ,
        workspace="/work",
        sandbox="/work",
        cluster=SimpleNamespace(context=context),
    )
    plan: Any = SimpleNamespace(credentials=[SimpleNamespace(name="npm")])
    (tmp_path / "sandboxd").mkdir()
    (tmp_path / "sandboxd/audit").write_text("in the way")
    with pytest.raises(RecordFailure):
        _secrets.give(target, plan)
    assert given == []
    (tmp_path / "sandboxd/audit").unlink()
    _secrets.give(target, plan)
    assert given == ["the secrets"]

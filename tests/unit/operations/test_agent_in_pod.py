"""What is decided before an agent works in a Pod: no secret goes there, its runs are its own, git knows who commits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.agents.session import Session
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.target import Target
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster import _identity, _secrets, agent
from sandboxd.plan.git_settings import SAFE

CONTEXT = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")


def target(workspace: str, context: Context = CONTEXT) -> Target:
    cluster: Any = SimpleNamespace(context=context)
    return Target(cluster, {}, workspace, workspace, "claude")


def test_a_required_credential_is_refused_with_the_reason() -> None:
    _secrets.require_none([], os.environ)
    with pytest.raises(UsageError, match="`anthropic` is required") as caught:
        _secrets.require_none(["anthropic"], os.environ)
    assert "leave `--on` out" in caught.value.hint


def test_a_session_on_a_cluster_has_runs_of_its_own(tmp_path: Path) -> None:
    own = Session("claude", "claude", "/w", str(tmp_path))
    there = agent.place_of(own, target("/w"))
    other = agent.place_of(own, target("/w", CONTEXT._replace(namespace="other")))
    renamed = agent.place_of(own, target("/w", CONTEXT._replace(name="renamed")))
    assert len({own.folder, there.folder, other.folder}) == 3
    assert renamed.folder == there.folder and os.path.isdir(there.folder)
    assert there._replace(folder=own.folder) == own


@pytest.mark.parametrize("name", ["Ann", 'A "B" C', "back\\slash", "a # b ; c", "\u017dofie"])
def test_git_reads_the_name_that_was_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def run(_cluster: Any, _pod: str, _command: Any, data: bytes, *_: Any) -> int:
        written.append(data)
        return 0

    monkeypatch.setattr(_identity.running, "run", run)
    plan: Any = SimpleNamespace(
        git=((SAFE, "/w"), ("user.name", name), ("user.email", "a@b.example"))
    )
    assert _identity.put(target("/w"), plan)
    (tmp_path / "config").write_bytes(written[0])
    for key, value in plan.git[1:]:
        words = ["git", "config", "--file", str(tmp_path / "config"), key]
        assert subprocess.run(words, capture_output=True, text=True).stdout == f"{value}\n"
    assert SAFE not in written[0].decode()

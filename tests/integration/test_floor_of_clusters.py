"""A policy that keeps work from clusters, by the command line: nothing is asked of one that it does not allow."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandboxd.cli import where
from tests.forked import run_forked
from tests.integration.commands import Result
from tests.integration.stub_cluster import StubCluster
from tests.patience import PATIENCE

COMMANDS = (
    ("agent", "codex", "--print", "x"), ("cp", "a", ":b"), ("doctor",), ("down", "--discard"), ("drift",),
    ("egress", "log"), ("egress", "check", "a.example"), ("egress", "allow", "a.example"),
    ("egress", "deny", "a.example"), ("exec", "true"), ("forward", "8000"), ("list",), ("logs",), ("review",),
    ("shell",), ("status",), ("up",), ("verify",),
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, stub: StubCluster) -> Path:
    """A project, a kubeconfig whose user signs in by a program, and a policy that does not allow that cluster."""
    root = tmp_path / "app"
    root.mkdir()
    (root / "sandboxd.toml").write_text('image = "some/image:1"\n')
    (root / "a").write_text("")
    program = tmp_path / "sign-in"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/signed-in\necho '{{}}'\n")
    program.chmod(0o755)
    config = stub.kubeconfig()
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program)}
    config["users"] = [{"name": "nobody", "user": {"exec": plugin}}]
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    (tmp_path / "config/sandboxd").mkdir(parents=True)
    demand(root, 'clusters = ["team"]\n')
    return root


def demand(project: Path, text: str) -> Path:
    path = project.parent / "config/sandboxd/policy.toml"
    path.write_text(text)
    return path


def sandboxd(project: Path, *arguments: str) -> Result:
    environ = {
        **os.environ,
        "KUBECONFIG": str(project.parent / "kubeconfig"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "XDG_CONFIG_HOME": str(project.parent / "config"),
        "XDG_STATE_HOME": str(project.parent / "state"),
    }
    return Result(run_forked(arguments, cwd=project, env=environ, timeout=2 * PATIENCE))


def said(result: Result) -> str:
    assert "Traceback" not in result.err
    return " ".join(result.err.split())


def with_context(words: tuple[str, ...]) -> tuple[str, ...]:
    """Options end where the command of `exec` begins."""
    return (
        (words[0], "--on", "stub", *words[1:]) if words[0] == "exec" else (*words, "--on", "stub")
    )


def test_each_command_that_goes_to_a_cluster_is_here() -> None:
    assert {words[0] for words in COMMANDS} == where.COMMANDS | {"list", "doctor"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_goes_to_a_cluster_that_is_not_allowed(
    project: Path, stub: StubCluster, words: tuple[str, ...]
) -> None:
    result = sandboxd(project, *with_context(words))
    assert result.code == 2 and result.out == "", result.err
    text = said(result)
    assert "the cluster of your context `stub` at `http://127.0.0.1:" in text
    assert f"is not allowed by `{project.parent}/config/sandboxd/policy.toml` hint:" in text
    assert "clusters that it allows: `team`" in text
    assert stub.asked == [] and not (project.parent / "signed-in").exists()


def test_a_granted_file_leads_to_no_cluster_that_is_not_allowed(
    project: Path, stub: StubCluster
) -> None:
    policy = demand(project, 'cluster_namespaces = ["sandboxes"]\n')
    (project / "sandboxd.toml").write_text('image = "img:1"\n[where]\nkubernetes = "stub"\n')
    assert sandboxd(project, "trust", "add", "--yes").code == 0
    for command in ("status", "up", "down"):
        result = sandboxd(project, command)
        assert result.code == 2
        expected = f"the namespace `default` of your context `stub` is not allowed by `{policy}`"
        assert expected in said(result)
    assert "may not go to the cluster of your context `stub`" in sandboxd(project, "trust").out
    explained = sandboxd(project, "policy", "explain").out
    assert (
        f"no work goes to the cluster of your context `stub`, namespace `default`: `{policy}`"
        in explained
    )
    assert sandboxd(project, "status", "--here").code == 0
    assert stub.asked == []


def test_what_is_allowed_is_asked(project: Path, stub: StubCluster) -> None:
    server = stub.kubeconfig()["clusters"][0]["cluster"]["server"]
    (project.parent / "kubeconfig").write_text(json.dumps(stub.kubeconfig()))
    demand(project, f'clusters = ["{server}"]\ncluster_namespaces = ["default"]\n')
    result = sandboxd(project, "status", "--on", "stub")
    assert result.code == 0 and "no sandbox of this project" in result.out, result.err
    assert stub.asked != []


def test_a_policy_that_cannot_be_read_allows_no_cluster(project: Path, stub: StubCluster) -> None:
    demand(project, 'cluster = ["stub"]\n')
    result = sandboxd(project, "list", "--on", "stub")
    assert result.code == 2 and "unknown key `cluster`" in said(result)
    assert stub.asked == []


def test_no_secret_goes_to_a_cluster_where_the_policy_says_so(
    project: Path, stub: StubCluster
) -> None:
    (project.parent / "kubeconfig").write_text(json.dumps(stub.kubeconfig()))
    policy = demand(project, "cluster_secrets = false\n")
    words = ("agent", "claude", "--print", "x", "--on", "stub")
    result = sandboxd(project, *words, "--secrets-on-cluster")
    assert result.code == 2
    assert f"`--secrets-on-cluster` is not allowed by `{policy}` hint: leave it out" in said(result)
    result = sandboxd(project, *words)
    assert result.code == 2
    assert f"`{policy}` lets no secret go to a cluster" in said(result)
    assert "accept that by" not in said(result)
    assert stub.made == []


def test_an_agent_that_may_not_go_there_leaves_no_session(project: Path, stub: StubCluster) -> None:
    result = sandboxd(project, "agent", "codex", "--print", "x", "--on", "stub")
    assert result.code == 2 and "is not allowed by" in said(result)
    assert json.loads(sandboxd(project, "agent", "--json").out)["sessions"] == []
    kept = [path for path in (project.parent / "state").rglob("*") if "agents" in path.parts]
    assert [path for path in kept if path.is_file()] == []

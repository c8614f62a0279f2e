"""A sandbox on a cluster from its start to its end, by commands alone: see `conftest` for what this needs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import Project
from tests.patience import eventually

pytestmark = pytest.mark.cluster

New = Callable[..., Project]


def test_the_cluster_gives_what_is_needed(new_project: New) -> None:
    found = json.loads(new_project().ok("doctor", "--json"))
    assert found["context"] and not [r for r in found["missing"] if not r["optional"]]


def test_work_goes_there_and_comes_back(new_project: New) -> None:
    project = new_project()
    git = ["git", "-C", str(project.folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (project.folder / ".gitignore").write_text("*.log\n")
    (project.folder / "noise.log").write_text("not for there")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    started = project.up()
    assert started["how"] == "started" and started["pod"] in project.listed()
    assert project.inside("cat main.py; ls") == "print('hello')\nmain.py\nsandboxd.toml\n"
    project.inside("echo 'print(2)' > main.py; echo new > added; id -u | grep -v '^0$'")
    assert project("exec", "--", "sh", "-c", "exit 7").code == 7
    assert project.ok("exec", "--", "wc", "-c", input="x" * 100_000).strip() == "100000"
    changes = json.loads(project.ok("review", "--json"))
    assert {"main.py", "added"} <= {each["path"] for each in changes["changes"]}
    assert (project.folder / "main.py").read_text() == "print('hello')\n"
    project.ok("review", "--apply", "--yes")
    assert (project.folder / "main.py").read_text() == "print(2)\n"
    assert (project.folder / "added").read_text() == "new\n"
    project.ok("down")
    assert started["pod"] not in project.listed()


def test_what_nobody_reviewed_is_kept_when_it_ends(new_project: New) -> None:
    project = new_project()
    project.up()
    project.inside("echo kept > later")
    project.ok("down")
    assert "later" in project.ok("review")


def test_files_go_in_and_out_and_its_state_is_told(new_project: New, tmp_path: Path) -> None:
    project = new_project()
    hook = {"postCreateCommand": {"a": "echo $WHO > ready"}, "remoteEnv": {"WHO": "a hook"}}
    (project.folder / ".devcontainer.json").write_text(json.dumps(hook))
    project.up()
    assert project.inside("cat ready") == "a hook\n"
    (tmp_path / "in").write_text("in\n")
    project.ok("cp", str(tmp_path / "in"), ":")
    assert project.inside("cat in; echo out > out") == "in\n"
    project.ok("cp", ":out", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "out\n"
    state = json.loads(project.ok("status", "--json"))
    assert state["sandbox"]["state"] == "running" and state["sandbox"]["is_ours"]
    project.ok("logs")
    assert project.up()["how"] == "already running"


def test_two_of_one_project_run_side_by_side(new_project: New) -> None:
    project = new_project()
    first, second = project.up(), project.up("--name", "second")
    assert first["pod"] != second["pod"]
    project.inside("touch mine", "--name", "second")
    assert "mine" not in project.inside("ls")
    project.ok("down", "--name", "second")
    assert project.listed().count(first["pod"]) == 1


def test_what_is_said_of_the_network_is_so(new_project: New) -> None:
    """One sandbox listens; another reaches it where the network is said to be open, and only there."""
    server, client = new_project(), new_project()
    named = [each["why"] for each in server.up()["not_in_force"] if each["control"] == "network"]
    client.up()
    server.inside("python3 -m http.server 8000 >/dev/null 2>&1 &")
    ask = "import socket as s; u = s.socket(s.AF_INET, s.SOCK_DGRAM); u.connect(('192.0.2.1', 9)); print(u.getsockname()[0])"
    address = server.ok("exec", "--", "python3", "-c", ask).strip()
    own = "import socket; socket.create_connection(('127.0.0.1', 8000), 5)"
    eventually(lambda: server("exec", "--", "python3", "-c", own).code == 0)
    dial = f"import socket; socket.create_connection(('{address}', 8000), 5)"
    reached = client("exec", "--", "python3", "-c", dial)
    if "was not checked" not in "".join(named):
        assert (reached.code == 0) is bool(named), (named, reached.err)


def test_the_allowed_names_alone_are_reached_through_the_gateway(new_project: New) -> None:
    project = new_project('[network]\nmode = "allow"\n')
    project.up()
    dial = "import urllib.request as u; u.urlopen('http://denied.example/', timeout=20)"
    refused = project("exec", "--", "python3", "-c", dial)
    assert refused.code != 0 and "403" in refused.err


def test_what_holds_there_is_said_of_each_attempt(new_project: New) -> None:
    """What does not hold on that cluster is this cluster's; that it is judged and named is ours."""
    project = new_project('[network]\nmode = "allow"\n')
    started = project.up()
    result = project("verify", "--json")
    assert result.code in (0, 6), f"{result.code}\n{result.out}\n{result.err}"
    document = json.loads(result.out)
    outcomes = {each["id"]: each["outcome"] for each in document["attempts"]}
    assert document["cluster"]["pod"] == started["pod"] and document["cluster"]["uid"]
    assert document["cluster"]["runtime_class"] == started["runtime_class"]
    for name in ("pod-service-account", "pod-capabilities", "pod-root-file-system"):
        assert outcomes[name] == "held", name
    assert outcomes["host-file"] == "not-judged"
    is_open = any(each["control"] == "network" for each in started["not_in_force"])
    assert (outcomes["pod-neighbour"] == "escaped") is is_open, document["attempts"]


def test_a_pod_that_is_gone_is_named_and_can_be_made_anew(
    new_project: New, kubeconfig: str
) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: THE LOSS OF A POD IS NOT TESTED")
    project = new_project()
    pod = project.up()["pod"]
    kubectl = ["kubectl", "--kubeconfig", kubeconfig, "delete", "pod", pod]
    subprocess.run(kubectl, check=True, capture_output=True)
    lost = project("exec", "--", "true")
    assert lost.code in (2, 4) and "hint:" in lost.err and "Traceback" not in lost.err
    assert project.up()["how"] == "started"

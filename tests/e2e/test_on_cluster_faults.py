"""What happens to a sandbox on a cluster that nobody planned: a drained node, a start that is interrupted, a clock, another user."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.test_on_cluster import Laptop, begin, laptop, left
from tests.e2e.test_on_cluster_verify import cluster
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

__all__ = ["cluster", "laptop"]


def test_a_node_that_is_drained_takes_the_work_along_and_this_is_said(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    name = laptop("up").stdout.strip()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with begin(laptop, "exec", "sh", "-c", "echo ready; sleep 1000", **pipes) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        cluster.drain()
        _, errors = process.communicate(timeout=4 * PATIENCE)
        assert process.returncode in (4, 137), errors
    eventually(lambda: cluster.pod("default", name) is None)
    lost = "its node was drained or lost, or somebody deleted it"
    for command in (("exec", "true"), ("verify",), ("drift",), ("cp", ":main.py", "out")):
        said = laptop.refusal(*command)
        assert lost in said and "is lost" in said and "`sandboxd up --on test` starts it" in said
    assert lost in laptop("status").stderr
    assert lost in " ".join(laptop("down").stderr.split())
    assert left(cluster) == []
    assert lost not in laptop.refusal("exec", "true")


def begin_endless(cluster: DockerCluster, laptop: Laptop) -> subprocess.Popen[str]:
    """An `up` that waits for its Pod, which comes to run only after much longer than a test takes."""

    def wait(pod: dict[str, Any]) -> None:
        for each in pod["spec"]["initContainers"]:
            each["command"], each["args"] = ["sleep", "3600"], []

    cluster.webhook("Pod", wait)
    process = begin(laptop, "up", stderr=subprocess.PIPE)
    eventually(lambda: any(name.startswith("Pod ") for name in left(cluster)))
    cluster.api.requests.clear()
    # By the second look it has had the answer to the first.
    eventually(lambda: cluster.api.requests.count(("get", "pods")) > 1)
    return process


def test_a_start_that_is_interrupted_leaves_nothing(cluster: DockerCluster, laptop: Laptop) -> None:
    process = begin_endless(cluster, laptop)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode in (130, -signal.SIGINT), errors
    assert left(cluster) == []


def test_a_node_that_is_drained_while_a_sandbox_starts_ends_the_start(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    process = begin_endless(cluster, laptop)
    cluster.drain()
    _, errors = process.communicate(timeout=4 * PATIENCE)
    said = " ".join(errors.split())
    assert (
        process.returncode == 4 and "deleted meanwhile, as it is when its node is drained" in said
    )
    assert left(cluster) == []


def test_a_clock_that_is_hours_off_is_named_and_has_no_say(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.store.seconds_ahead = 10 * 3600
    assert "the cluster's is 10.0 h ahead of this machine's" in laptop("doctor").stdout
    assert json.loads(laptop("doctor", "--json").stdout)["seconds_ahead"] > 35000
    laptop("up")
    laptop("exec", "sh", "-c", "echo 'print(1)' > main.py")
    assert "main.py" in laptop("review", "--stat").stdout
    laptop("logs", "--since", "10m")
    laptop("verify")
    laptop("review", "--apply", "--yes")
    assert (laptop.project / "main.py").read_text() == "print(1)\n"
    cluster.store.seconds_ahead = -10 * 3600
    laptop("exec", "sh", "-c", "echo new > notes")
    assert "10.0 h behind this machine's" in laptop("doctor").stdout
    laptop("down")
    assert "notes" in laptop("review", "--stat").stdout
    assert left(cluster) == []


class Another(Laptop):
    """Another user with the same folder, as on machines made of one image."""

    def __init__(self, first: Laptop, name: str, home: Path) -> None:
        self.project, self.image = first.project, first.image
        state = str(home / "state")
        self.environ = {**first.environ, "HOME": str(home), "XDG_STATE_HOME": state}
        self.name = name

    def __call__(
        self, *words: str, code: int = 0, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = (
            "import sys\nfrom sandboxd import login\n"
            f"login.login_name = lambda: {self.name!r}\n"
            "from sandboxd.cli.main import run\nsys.exit(run(sys.argv[1:]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, words[0], "--on", "test", *words[1:]],
            cwd=self.project, env=self.environ, input=input, capture_output=True, text=True,
            stdin=subprocess.DEVNULL if input is None else None, timeout=10 * PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{done.stdout}{done.stderr}"
        return done


def test_two_users_of_one_namespace_have_two_sandboxes(
    cluster: DockerCluster, laptop: Laptop, tmp_path: Path
) -> None:
    (tmp_path / "beth").mkdir()
    beth = Another(laptop, "beth", tmp_path / "beth")
    mine, hers = laptop("up").stdout.strip(), beth("up").stdout.strip()
    assert mine != hers
    beth("exec", "sh", "-c", "echo hers > notes")
    assert "notes" not in laptop("exec", "ls").stdout
    rows = {line.split()[0]: line for line in laptop("list").stdout.splitlines()}
    assert "(another's)" in rows[hers] and "(another's)" not in rows[mine]
    assert json.loads(laptop("verify", "--json").stdout)["cluster"]["pod"] == mine
    laptop("down", "--discard")
    assert cluster.pod("default", mine) is None
    assert beth("exec", "cat", "notes").stdout == "hers\n"
    assert "notes" in beth("review", "--stat").stdout
    beth("down", "--discard")
    assert left(cluster) == []

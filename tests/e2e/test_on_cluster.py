"""A sandbox on a cluster: the whole way from a laptop there and back, and what goes wrong on it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import docker_cluster
from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com")


@pytest.fixture
def cluster(
    engine: str, trial_image: str, busybox_image: str, tmp_path: Path
) -> Iterator[DockerCluster]:
    with docker_cluster.running(engine, busybox_image, tmp_path / "cluster") as running:
        running.runtime_class("gvisor", "runsc")
        running.runtime_class("plain", "runc")
        yield running


CLOSED = '[network]\nmode = "none"\n'
"""A sandbox without a network needs no gateway, so it starts sooner."""


class Laptop:
    """A user with a project, whose kubeconfig leads to the cluster."""

    def __init__(self, folder: Path, home: Path, cluster: DockerCluster, image: str) -> None:
        self.project = folder / "weather"
        self.project.mkdir()
        (self.project / "main.py").write_text("print('sunny')\n")
        (self.project / ".gitignore").write_text("*.log\n.env\n")
        (self.project / ".env").write_text("KEY=secret\n")
        self.image = image
        self.config("dev", CLOSED)
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "first")
        self.environ = {
            **os.environ,
            "HOME": str(home),
            "KUBECONFIG": str(cluster.kubeconfig()),
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        }

    def config(self, profile: str, more: str = "") -> None:
        text = f'profile = "{profile}"\nimage = "{self.image}"\n{more}'
        (self.project / "sandboxd.toml").write_text(text)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            [*GIT, *words], cwd=self.project, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def __call__(
        self, *words: str, code: int = 0, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.type(words[0], "--on", "test", *words[1:], code=code, input=input)

    def type(
        self, *words: str, code: int = 0, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `sandboxd` with these words."""
        done = subprocess.run(
            [sys.executable, "-m", "sandboxd", *words],
            cwd=self.project, env=self.environ, input=input, capture_output=True, text=True,
            stdin=subprocess.DEVNULL if input is None else None, timeout=10 * PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{done.stdout}{done.stderr}"
        return done

    def refusal(self, *words: str, code: int = 4) -> str:
        """Its words on one line."""
        return " ".join(self(*words, code=code).stderr.split())


@pytest.fixture
def laptop(tmp_path: Path, own_home: Path, cluster: DockerCluster, busybox_image: str) -> Laptop:
    return Laptop(tmp_path, own_home, cluster, busybox_image)


def left(cluster: DockerCluster) -> list[str]:
    """What is in the namespace besides the cluster's own Service."""
    kinds = ("NetworkPolicy", "ConfigMap", "Service", "Deployment", "Pod")
    names = [f"{k} {o['metadata']['name']}" for k in kinds for o in cluster.store.all(k, "default")]
    return [name for name in names if name != "Service kubernetes"]


def test_a_project_goes_to_a_cluster_with_one_flag_and_comes_back(
    cluster: DockerCluster, laptop: Laptop, rich: Rich
) -> None:
    laptop.image = rich.image
    laptop.config("dev")
    laptop.git("commit", "-q", "-a", "-m", "names")
    up = laptop("up", "--gateway-image", rich.image)
    name = up.stdout.strip()
    pod = cluster.pod("default", name)
    assert pod is not None and pod["spec"]["runtimeClassName"] == "gvisor"
    said = " ".join(up.stderr.split())
    assert "RuntimeClass gvisor" in said and "what git ignores: `.env`" in said
    assert "not in force network" not in said, "two connections showed that policies hold"
    assert laptop("exec", "cat", "main.py").stdout == "print('sunny')\n"
    assert laptop("exec", "wc", "-c", input="x" * 200_000).stdout == "200000\n"
    laptop("exec", "sh", "-c", "exit 7", code=7)
    laptop("exec", "ls", ".env", code=2)
    change = (
        "echo 'print(1)' > main.py; echo new > notes.md; rm sandboxd.toml; git commit -qam second"
    )
    who = "git config user.name B; git config user.email b@example.com"
    laptop("exec", "sh", "-c", f"{who}; {change}")
    review = laptop("review", "--diff")
    assert "main.py" in review.stdout and "+print(1)" in review.stdout
    assert "notes.md" in review.stdout and "commit" in review.stdout
    laptop("review", "--apply", "--yes")
    assert (laptop.project / "main.py").read_text() == "print(1)\n"
    assert (laptop.project / "sandboxd.toml").exists(), "what was deleted there stays here"
    status = laptop("status").stdout
    assert "running" in status and " closed by a NetworkPolicy; gateway: ready" in status
    assert "3 times in a row" in status and "port 3128 answered each time (20" in status
    assert name in laptop("list").stdout
    assert "already running" in laptop("up", "--gateway-image", rich.image).stderr
    laptop("exec", "sh", "-c", "echo more >> notes.md")
    down = laptop("down")
    assert "2 changes are kept" in down.stderr
    assert cluster.pod("default", name) is None
    assert left(cluster) == []
    assert "notes.md" in laptop("review", "--stat").stdout
    assert "refs/sandboxd" in laptop.git("for-each-ref")
    kinds = [json.loads(line)["kind"] for line in record(laptop)]
    assert kinds == ["start", "review", "stop"]


def record(laptop: Laptop) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "sandboxd", "audit", "--json"],
        cwd=laptop.project, env=laptop.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_files_go_in_and_out_and_a_log_is_shown(cluster: DockerCluster, laptop: Laptop) -> None:
    laptop("up")
    (laptop.project / "big.bin").write_bytes(os.urandom(3_000_000))
    assert "copied in: 1 file" in laptop("cp", "big.bin", ":").stderr
    assert laptop("exec", "wc", "-c", "big.bin").stdout.startswith("3000000 ")
    laptop("exec", "sh", "-c", "mkdir d; cp big.bin d/; ln -s /etc/passwd d/link")
    out = laptop("cp", ":d", "results")
    assert (laptop.project / "results/big.bin").read_bytes() == (
        laptop.project / "big.bin"
    ).read_bytes()
    assert "`link` was not copied" in out.stderr or "link" in out.stderr
    assert not (laptop.project / "results/link").is_symlink()
    laptop("logs", "--tail", "5")
    assert "Pod Security `restricted` has no root" in laptop.refusal("exec", "--root", "id", code=2)
    laptop("down", "--discard")
    assert left(cluster) == []


def test_a_network_that_enforces_nothing_is_named_or_refused(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.enforce(False)
    said = " ".join(laptop("up").stderr.split())
    assert "not in force network: the cluster enforces no NetworkPolicy" in said
    status = laptop("status").stdout
    assert "NOT closed: the cluster enforces no NetworkPolicy" in status
    assert "10.96.0.1 port 443 was reached from inside, which no policy allows (20" in status
    laptop("down")
    laptop.config("untrusted")
    started: list[str] = []
    cluster.webhook("Pod", lambda pod: started.append(pod["metadata"]["name"]))
    cluster.api.requests.clear()
    said = laptop.refusal("up")
    assert "the cluster's network enforces no NetworkPolicy" in said
    assert "profile `untrusted` needs it closed" in said
    assert started, "no Pod was made, so nothing was tried"
    assert ("create", "pods/exec") not in cluster.api.requests, "something ran in it"
    assert left(cluster) == []


def test_a_pod_whose_trial_admission_takes_away_is_refused(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    """Nobody saw that the network is closed: that is not to be taken for closed."""

    def take_away(pod: dict[str, Any]) -> None:
        pod["spec"].pop("initContainers", None)

    cluster.webhook("Pod", take_away)
    laptop.config("untrusted")
    said = laptop.refusal("up")
    assert "nobody saw that the cluster's network enforces NetworkPolicies" in said
    assert left(cluster) == []


def test_a_cluster_without_gvisor_runs_what_does_not_need_it(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.store.remove("RuntimeClass", "", "gvisor")
    laptop.config("untrusted")
    said = laptop.refusal("up", code=2)
    assert "no RuntimeClass of the cluster runs it" in said and "--allow-runc" in said
    assert "no RuntimeClass `other`" in laptop.refusal("up", "--runtime-class", "other", code=2)
    laptop.config("dev", CLOSED)
    assert "the node's own runtime" in laptop("up").stderr


def test_an_old_cluster_takes_no_piped_input_and_the_rest_works(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.old_server()
    laptop("up")
    said = " ".join(laptop("exec", "cat", input="x", code=2).stderr.split())
    assert "older than Kubernetes 1.30" in said and "sandboxd exec -n" in said
    assert laptop("exec", "echo", "hello").stdout == "hello\n"
    laptop("exec", "sh", "-c", "echo 1 > new")
    assert "A new" in laptop("review", "--stat").stdout


def test_a_cluster_without_agent_sandbox_makes_a_pod(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    assert "the cluster has no agent-sandbox" in laptop.refusal("up", "--sandbox", code=2)
    assert "no agent-sandbox" in laptop("doctor").stdout
    assert left(cluster) == []


def test_what_a_cluster_refuses_is_said_and_nothing_is_left(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    said = laptop.refusal("up", "--image", "nowhere.example/none:1")
    assert "its image `nowhere.example/none:1` cannot be pulled" in said and "--image" in said
    assert left(cluster) == []
    cluster.admission.quota["default"] = 0
    assert "has no room: quota" in laptop.refusal("up")
    assert left(cluster) == []
    cluster.admission.quota.clear()
    cluster.webhook("Pod", lambda _: "not on a Sunday")
    assert "refuses it: not on a Sunday" in laptop.refusal("up")
    assert left(cluster) == []
    cluster.api.refused_rights.add(("patch", "pods"))
    said = laptop.refusal("up")
    assert "sandboxd doctor --on test" in said
    assert left(cluster) == []


def test_what_admission_changes_is_named(cluster: DockerCluster, laptop: Laptop) -> None:
    def change(pod: dict[str, Any]) -> None:
        pod["spec"]["containers"][0]["env"].append({"name": "TRACE", "value": "1"})

    cluster.webhook("Pod", change)
    said = " ".join(laptop("up").stderr.split())
    assert "`spec.containers[workspace].env` has one more: `TRACE`" in said


def test_work_that_went_with_an_evicted_pod_is_said_to_be_lost(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    name = laptop("up").stdout.strip()
    cluster.evict("default", name)
    assert "what was in it is gone: its node evicted it" in laptop.refusal("exec", "true")
    assert "ended" in laptop("status").stdout
    said = " ".join(laptop("down").stderr.split())
    assert "is lost: its node evicted it" in said
    assert left(cluster) == []


def test_objects_that_became_others_are_drift(cluster: DockerCluster, laptop: Laptop) -> None:
    name = laptop("up").stdout.strip()
    well = laptop("drift").stdout
    assert "is as planned" in well and "capabilities: none" in well

    def open_up(policy: dict[str, Any]) -> None:
        policy["spec"]["egress"] = [{}]

    cluster.store.update("NetworkPolicy", "default", name, open_up)
    assert "`spec.egress`: planned (nothing), found one more" in laptop("drift", code=6).stdout
    cluster.store.remove("NetworkPolicy", "default", name)
    assert (
        f"NetworkPolicy `{name}`: planned applied, found (nothing)"
        in laptop("drift", code=6).stdout
    )
    assert "NOT closed" in laptop("status").stdout


def test_doctor_names_each_right_that_is_missing(cluster: DockerCluster, laptop: Laptop) -> None:
    well = laptop("doctor").stdout
    assert "by the RuntimeClass `gvisor`" in well and "all that sandboxd needs" in well
    cluster.api.refused_rights.add(("create", "pods/exec"))
    done = laptop("doctor", code=4)
    assert "missing: create pods/exec (for commands inside)" in done.stdout
    assert "kind: Role\n" in done.stdout
    cluster.server.tokens.clear()
    assert "does not take your credentials" in laptop.refusal("doctor")


def test_a_busy_cluster_is_asked_again(cluster: DockerCluster, laptop: Laptop) -> None:
    cluster.fault(429, "patch", "pods", headers={"Retry-After": "1"}, times=2)
    laptop("up")
    assert laptop("exec", "cat", "main.py").stdout == "print('sunny')\n"


def test_a_sandbox_of_another_machine_is_left_alone(
    cluster: DockerCluster, laptop: Laptop, tmp_path: Path
) -> None:
    laptop("up")
    laptop.environ = {**laptop.environ, "XDG_STATE_HOME": str(tmp_path / "another")}
    assert "started by somebody else, or from another machine" in laptop.refusal("up", code=2)
    assert "on the machine that started it" in laptop.refusal("review", code=2)
    assert "started by somebody else, or from another machine" in laptop.refusal("down", code=2)
    assert "another's" in laptop("list").stdout


def begin(laptop: Laptop, *words: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandboxd", words[0], "--on", "test", *words[1:]],
        cwd=laptop.project, env=laptop.environ, text=True, **more,
    )  # fmt: skip


def test_a_shell_has_our_terminal_and_its_size(cluster: DockerCluster, laptop: Laptop) -> None:
    laptop("up")
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    with begin(
        laptop, "shell", stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    ) as process:
        os.close(follower)
        # What is typed before the terminal is the shell's would be lost.
        output = os.read(leader, 1000)
        # The size comes after the command has begun.
        waits = b'until [ "$(stty size)" = "33 ""77" ]; do sleep 1; done'
        os.write(leader, waits + b"; stty size; exit 3\n")
        while b"33 77" not in output:
            output += os.read(leader, 1000)
        assert process.wait(PATIENCE) == 3
    os.close(leader)


def test_signals_reach_the_command_and_one_that_takes_none_is_left(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    laptop("up")
    script = "trap 'echo got; exit 5' INT; echo ready; while :; do sleep 0.1; done"
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with begin(laptop, "exec", "sh", "-c", script, **pipes) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "got\n"
        assert process.wait(PATIENCE) == 5
    deaf = "trap '' INT; echo ready; sleep 1000"
    with begin(laptop, "exec", "sh", "-c", deaf, stderr=subprocess.DEVNULL, **pipes) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"

        def is_over() -> bool:
            process.send_signal(signal.SIGINT)
            return process.poll() is not None

        eventually(is_over)
        assert process.returncode in (130, -signal.SIGINT)


def test_a_port_is_forwarded(cluster: DockerCluster, laptop: Laptop) -> None:
    laptop("up")
    laptop("exec", "sh", "-c", "echo hello > /tmp/f; httpd -p 127.0.0.1:8000 -h /tmp")
    assert "8000" in laptop("forward").stdout
    with begin(laptop, "forward", "--json", "8000", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        for _ in range(2):
            with urllib.request.urlopen(f"{address}/f", timeout=PATIENCE) as answer:
                assert answer.read() == b"hello\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in (0, 130)

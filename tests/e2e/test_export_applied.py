"""The objects of `sandboxd export kubernetes`, applied: what is closed is closed, and work goes in and out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandboxd.verify import listeners
from tests.e2e import docker_cluster, outside, sandboxes
from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE, eventually

pytestmark = pytest.mark.engine

ADDRESS = "10.96.200.1"


@pytest.fixture
def cluster(engine: str, busybox_image: str, tmp_path: Path) -> Iterator[DockerCluster]:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: THE OBJECTS FOR KUBERNETES ARE NOT APPLIED")
    with (
        docker_cluster.running(engine, busybox_image, tmp_path / "c") as running,
        outside.outside(listeners.engine_pid(engine)),
    ):
        running.runtime_class("gvisor", "runsc")
        running.names["files.example"] = outside.ADDRESS
        yield running


class Applied:
    """A project whose objects are in the cluster."""

    def __init__(self, cluster: DockerCluster, engine: str, folder: Path, words: list[str]) -> None:
        self.cluster, self.folder, self.name, self.hints = cluster, folder, "", ""
        self._engine, self._words = engine, words
        self.environ = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig("team"))}

    def apply(self) -> None:
        """Export the project as it is now, and apply what is written."""
        sandboxes.grant(self.folder)
        written = sandboxes.run(self._engine, self.folder, "export", "kubernetes", *self._words)
        assert written.returncode == 0, written.stderr
        self.hints = written.stderr
        self.kubectl("apply", "--server-side", "-f", "-", input=written.stdout.encode())
        documents = yaml.safe_load_all(written.stdout)
        (self.name,) = (d["metadata"]["name"] for d in documents if d["kind"] == "Pod")

    def kubectl(
        self, *words: str, input: bytes = b"", fails: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            ["kubectl", *words], env=self.environ, input=input, capture_output=True,
            timeout=5 * PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done
        return done

    def inside(self, *command: str, input: bytes = b"") -> str:
        return self.kubectl("exec", "-i", self.name, "--", *command, input=input).stdout.decode()

    def fetch(self, url: str) -> str:
        """What a program inside that knows its proxy gets."""
        program = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=60).read().decode())"
        return self.inside("sh", "-c", f"python3 -c '{program}' {url} 2>&1 || true")


@pytest.fixture(params=["runc", pytest.param("gvisor", marks=pytest.mark.gvisor)])
def applied(
    request: pytest.FixtureRequest, cluster: DockerCluster, engine: str, rich: Rich, tmp_path: Path
) -> Applied:
    cluster.namespace("team", "restricted")
    folder = tmp_path / "weather"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text(
        f'image = "{rich.image}"\n[network]\nmode = "allow"\nallow = ["files.example:80"]\n'
    )
    words = ["--gateway-image", rich.image, "--gateway-address", ADDRESS]
    if request.param == "gvisor":
        words += ["--runtime-class", "gvisor"]
    done = Applied(cluster, engine, folder, words)
    done.apply()
    for kind, state in (
        (f"pod/{done.name}", "Ready"),
        (f"deploy/{done.name}-gateway", "Available"),
    ):
        done.kubectl("wait", f"--for=condition={state}", kind, f"--timeout={4 * PATIENCE:.0f}s")
    return done


def test_the_gateway_lets_the_allowed_names_through_and_nothing_else(applied: Applied) -> None:
    assert applied.fetch("http://files.example/") == "outside for files.example\n\n"
    assert "403" in applied.fetch("http://other.example/")

    def dialled(seconds: int) -> str:
        program = f"import socket; socket.create_connection(('{outside.ADDRESS}', 80), {seconds})"
        return applied.inside("sh", "-c", f'python3 -c "{program}" 2>&1 || true')

    assert "timed out" in dialled(3)
    applied.cluster.enforce(False)
    assert dialled(60) == "", "where no policy holds, nothing closes the Pod"

    def log() -> str:
        return applied.kubectl("logs", f"deploy/{applied.name}-gateway").stdout.decode()

    eventually(lambda: "other.example" in (text := log()) and "no-rule" in text, log)


def test_a_changed_policy_is_followed_and_the_objects_apply_again(applied: Applied) -> None:
    file = applied.folder / "sandboxd.toml"
    file.write_text(file.read_text().replace("files.example:80", "files.example:81"))
    applied.apply()
    eventually(lambda: "403" in applied.fetch("http://files.example/"))


def test_work_goes_in_and_comes_out_as_the_docs_say(applied: Applied, tmp_path: Path) -> None:
    folder = applied.folder
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    target = "/workspaces/weather"
    hint = re.search("hint: (find .*?) not in force", " ".join(applied.hints.split()))
    assert hint is not None
    copy = ["sh", "-ec", hint[1]]
    subprocess.run(copy, cwd=folder, env=applied.environ, check=True, timeout=5 * PATIENCE)
    work = f"cd {target} && echo x > new && git add new && git -c user.name=b -c user.email=b@example.org commit -qm inside"
    assert applied.inside("sh", "-c", work) == ""
    bundle = applied.kubectl("exec", applied.name, "--", "git", "-C", target, "bundle", "create", "-", "HEAD")  # fmt: skip
    (tmp_path / "work.bundle").write_bytes(bundle.stdout)
    subprocess.run([*git, "fetch", "-q", str(tmp_path / "work.bundle"), "HEAD"], check=True)
    assert subprocess.run([*git, "show", "FETCH_HEAD:new"], capture_output=True, check=True).stdout == b"x\n"  # fmt: skip


def test_nobody_inside_is_root_or_has_a_token_or_writes_outside_its_volumes(
    applied: Applied,
) -> None:
    assert applied.inside("id", "-u") == "1000\n"
    look = "ls /var/run/secrets 2>&1; touch /home/dev/x 2>&1; grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status"
    said = applied.inside(
        "sh", "-c", f"{look}; env | grep SERVICE_HOST | grep -vc ^KUBERNETES_; true"
    )
    assert "No such file" in said and "Read-only file system" in said
    assert "CapEff:\t0000000000000000" in said
    assert said.endswith("0\n"), (
        "no Service is named in the environment but that of the API server, which a kubelet always names"
    )
    pods = json.loads(applied.kubectl("get", "pods", "-o", "json").stdout)["items"]
    assert {p["spec"]["automountServiceAccountToken"] for p in pods} == {False}


def test_all_objects_go(applied: Applied) -> None:
    part = f"app.kubernetes.io/part-of={applied.name}"
    applied.kubectl("delete", "pod", applied.name)
    applied.kubectl("delete", "deployment,service,configmap,networkpolicy", "-l", part)
    eventually(lambda: not applied.cluster.store.all("Pod", "team"))
    assert not applied.cluster.store.all("ConfigMap", "team")

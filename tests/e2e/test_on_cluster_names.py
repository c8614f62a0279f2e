"""Names of a sandbox on a cluster: answers are in force there when the command returns, and stay so."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.verify import listeners
from tests.e2e import outside
from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.e2e.test_on_cluster import Laptop, cluster, laptop
from tests.e2e.test_on_cluster_agent import gateways
from tests.patience import PATIENCE, eventually

__all__ = ["cluster", "laptop"]

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]


@pytest.fixture
def reaching(cluster: DockerCluster, laptop: Laptop, rich: Rich, engine: str) -> Iterator[Laptop]:
    """A laptop whose sandbox may reach names, one of which there is."""
    laptop.image = rich.image
    laptop.config("dev")
    with outside.outside(listeners.engine_pid(engine)):
        cluster.names["files.example"] = outside.ADDRESS
        yield laptop


def up(laptop: Laptop, *more: str) -> subprocess.CompletedProcess[str]:
    return laptop("up", "--gateway-image", laptop.image, *more)


def fetch(laptop: Laptop) -> str:
    program = "import urllib.request as u; print(u.urlopen('http://files.example/', timeout=60).read().decode())"
    return laptop("exec", "sh", "-c", f'python3 -c "{program}" 2>&1 || true').stdout


def names(laptop: Laptop, *words: str, code: int = 0) -> str:
    """What `sandboxd egress` says, on one line."""
    done = laptop.type("egress", words[0], "--on", "test", *words[1:], code=code)
    return " ".join((done.stdout + done.stderr).split())


def logged(laptop: Laptop, word: str) -> str:
    """The gateway's log once it has `word`: a node writes a log a moment after what it is of."""
    return eventually(
        lambda: word in (said := names(laptop, "log")) and said, lambda: names(laptop, "log")
    )


def test_a_name_is_allowed_and_denied_in_a_running_sandbox(
    cluster: DockerCluster, reaching: Laptop
) -> None:
    up(reaching)
    assert "403" in fetch(reaching)
    said = logged(reaching, "files.example")
    assert "no rule names it" in said
    assert "sandboxd egress allow files.example --on test" in said
    assert "denied" in names(reaching, "check", "files.example:80", code=1)
    assert "in force now" in names(reaching, "allow", "files.example", "--for", "2h")
    assert "outside for files.example" in fetch(reaching)
    assert "allowed" in names(reaching, "check", "files.example:80")
    assert "is as planned" in reaching("drift").stdout, "an answer of ours is no drift"
    assert "already running" in up(reaching).stderr
    assert "by your answer in the shell" in reaching.type("egress", "list").stdout
    assert "in force now" in names(reaching, "deny", "files.example")
    assert "403" in fetch(reaching)
    assert "reached" in logged(reaching, "reached")


def test_what_was_allowed_before_holds_from_the_start(reaching: Laptop) -> None:
    assert "the next `sandboxd up --on test` has it" in names(reaching, "allow", "files.example")
    assert "no sandbox of" in names(reaching, "log", code=4)
    up(reaching)
    assert "outside for files.example" in fetch(reaching)
    # Without `--on` nothing is told to the cluster; the next command there looks at what the sandbox may have.
    reaching.type("egress", "deny", "files.example")
    assert "403" in fetch(reaching)
    assert "already running" in up(reaching).stderr
    assert "403" in fetch(reaching)


def test_another_port_passes_the_network_policy(cluster: DockerCluster, reaching: Laptop) -> None:
    name = up(reaching).stdout.strip()
    names(reaching, "allow", "files.example:2222")
    policy = cluster.store.get("NetworkPolicy", "default", f"{name}-gateway")
    assert policy is not None
    ports = [port["port"] for way in policy["spec"]["egress"] for port in way["ports"]]
    assert 2222 in ports


def test_a_gateway_that_starts_again_has_the_answers(
    cluster: DockerCluster, reaching: Laptop
) -> None:
    name = up(reaching).stdout.strip()
    names(reaching, "allow", "files.example")
    before = gateways(cluster)
    cluster.store.update(
        "Deployment", "default", f"{name}-gateway",
        lambda each: each["spec"]["template"]["metadata"]["annotations"].update(again="yes"),
    )  # fmt: skip
    eventually(lambda: (now := gateways(cluster)) and now != before)
    eventually(lambda: "outside for" in fetch(reaching), lambda: fetch(reaching))
    assert "reached" in logged(reaching, "reached")


def test_a_log_is_followed(reaching: Laptop) -> None:
    up(reaching)
    words = ("egress", "log", "--on", "test", "--follow", "--json")
    with subprocess.Popen(
        [sys.executable, "-m", "sandboxd", *words],
        cwd=reaching.project, env=reaching.environ, text=True, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        fetch(reaching)
        row = json.loads(process.stdout.readline())
        assert row["name"] == "files.example" and row["outcome"] == "denied"
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_what_an_answer_cannot_do_there_is_said(
    cluster: DockerCluster, reaching: Laptop, tmp_path: Path
) -> None:
    up(reaching)
    assert "`--once` does not go with `--on`" in names(
        reaching, "allow", "files.example", "--once", code=2
    )
    cluster.fault(409, "patch", "configmaps")
    assert "another program manages" in names(reaching, "allow", "files.example", code=4)
    cluster.heal()
    reaching.environ = {**reaching.environ, "XDG_STATE_HOME": str(tmp_path / "another")}
    assert "from another machine" in names(reaching, "deny", "files.example", code=2)
    assert "denied" in names(reaching, "check", "files.example:80", code=1)

"""An agent at work in a Pod: its program comes through the gateway, its work comes back, no secret goes there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.verify import listeners
from tests.e2e import outside
from tests.e2e.agent_services import ANTHROPIC, REGISTRY, SECRET, Services
from tests.e2e.agent_world import script_agent
from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.e2e.test_agents import own_agent, package
from tests.e2e.test_on_cluster import Laptop, cluster, laptop, left
from tests.patience import PATIENCE, eventually

__all__ = ["cluster", "laptop"]

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

WORK = 'echo "$0" >> notes.md; echo by an agent >> main.py; git config user.email; git commit -qam work; env'

KINDS = ("ConfigMap", "Secret", "Deployment", "Pod", "Service", "NetworkPolicy", "Event")
SEARCH = "cat /proc/*/environ /proc/*/cmdline; grep -rahoE 'marked-secret-[0-9a-f]+' /home /tmp /workspaces; true"


class Person:
    """Has agents work on the cluster."""

    def __init__(self, laptop: Laptop, services: Services) -> None:
        self.laptop, self.services = laptop, services
        laptop.environ["SSL_CERT_FILE"] = str(services.authority)
        laptop.git("config", "user.name", "Ann")
        laptop.git("config", "user.email", "ann@example.com")

    def write_agent(self, name: str, text: str) -> None:
        config = self.laptop.environ.get("XDG_CONFIG_HOME")
        folder = Path(config or f"{self.laptop.environ['HOME']}/.config") / "sandboxd/agents"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text)

    def words(self, name: str, *more: str) -> list[str]:
        return ["agent", name, "--on", "test", "--gateway-image", self.laptop.image, "--yes", *more]

    def agent(self, name: str, *more: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.laptop.type(*self.words(name, *more), code=code)


@pytest.fixture
def person(
    cluster: DockerCluster, laptop: Laptop, rich: Rich, engine: str, tmp_path: Path
) -> Iterator[Person]:
    laptop.image = rich.image
    laptop.config("dev")
    with outside.outside(listeners.engine_pid(engine)) as served:
        folder = tmp_path / "services"
        folder.mkdir()
        services = Services(served.pid, folder)
        cluster.names |= dict.fromkeys((REGISTRY, ANTHROPIC), outside.ADDRESS)
        yield Person(laptop, services)
        services.close()


def test_an_agent_works_in_a_pod_and_its_work_comes_back(
    cluster: DockerCluster, person: Person
) -> None:
    person.write_agent("script", script_agent(WORK, "echo again; cat notes.md"))
    done = person.agent("script", "--print", "the task")
    assert "ann@example.com" in done.stdout, done.stderr
    said = " ".join(done.stderr.split())
    assert "profile agent, RuntimeClass gvisor" in said
    assert "M main.py +1 -0" in said and "2 files changed in its copy" in said
    assert "`sandboxd review --name script --on test --diff`" in said
    assert "git identity" not in said
    again = person.agent("script", "--resume", "--print", "more")
    assert again.stdout == "again\nthe task\n", again.stderr
    laptop = person.laptop
    laptop("review", "--name", "script", "--apply", "--yes")
    assert "by an agent" in (laptop.project / "main.py").read_text()
    assert "is as planned" in laptop("drift", "--name", "script").stdout
    laptop("down", "--name", "script")
    assert left(cluster) == []


def test_a_program_is_fetched_through_the_gateway_by_its_digest(
    cluster: DockerCluster, person: Person
) -> None:
    person.services.archives["own-agent-1.0.0.tgz"] = package()
    person.write_agent("own", own_agent())
    person.services.spoiled = True
    spoiled = person.agent("own", "--print", "a task", code=4)
    assert "is another content than it has to be" in " ".join(spoiled.stderr.split())
    assert left(cluster) == []
    person.services.spoiled = False
    done = person.agent("own", "--print", "a task", code=7)
    assert done.stdout == "task: a task\nits own program can be written\n", done.stderr
    assert "not in force agent's program" in " ".join(done.stderr.split())
    check = person.laptop.type("egress", "check", REGISTRY, "--on", "test", "--name", "own", code=1)
    assert "denied" in check.stdout, "the registry was open while the program came, and no longer"
    assert "is as planned" in person.laptop("drift", "--name", "own").stdout


def gateways(cluster: DockerCluster) -> list[str]:
    """The gateways' Pods that are ready."""
    return [
        pod["metadata"]["name"]
        for pod in cluster.store.all("Pod", "default")
        if "-gateway-" in pod["metadata"]["name"]
        and {"type": "Ready", "status": "True"}.items()
        <= {
            k: v
            for c in pod.get("status", {}).get("conditions", ())
            if c["type"] == "Ready"
            for k, v in c.items()
        }.items()
    ]


KEYED = '''
title = "Keyed"
source = "https://example.org/keyed"
program = "python3"
credentials = ["anthropic"]

[command]
start = []
print = ["-c", """
import json, urllib.request as u
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
heads = {"x-api-key": "${anthropic.decoy}", "content-type": "application/json"}
answer = u.urlopen(u.Request("${anthropic.api}/v1/messages", body, heads), timeout=60)
answer.read()
print(answer.status)
""", "{task}"]
'''


def test_a_secret_goes_to_the_gateways_memory_where_the_user_says_so(
    cluster: DockerCluster, person: Person
) -> None:
    person.laptop.environ["MODEL_KEY"] = SECRET
    person.laptop.type("credentials", "add", "anthropic", "--env", "MODEL_KEY")
    person.write_agent("keyed", KEYED)
    said = " ".join(person.agent("keyed", "--print", "x", code=2).stderr.split())
    assert "a gateway on a cluster is given no secret" in said and "--secrets-on-cluster" in said
    assert left(cluster) == []

    given = ("keyed", "--print", "x", "--secrets-on-cluster")
    done = person.agent(*given)
    assert done.stdout == "200\n", done.stderr
    assert "`anthropic`: the gateway's Pod has the secret" in " ".join(done.stderr.split())
    assert [asked.is_true for asked in person.services.of(ANTHROPIC)] == [True]
    laptop = person.laptop
    objects = str([cluster.store.all(kind) for kind in KINDS])
    inside = laptop("exec", "--name", "keyed", "sh", "-c", SEARCH).stdout
    record = laptop.type("audit", "--json").stdout
    assert [SECRET in text for text in (objects, inside, record)] == [False, False, False]
    assert "--secrets-on-cluster" in record
    assert "is as planned" in laptop("drift", "--name", "keyed").stdout

    answer = ("allow", "files.example", "--on", "test", "--name", "keyed")
    assert "in force now" in laptop.type("egress", *answer).stderr
    assert person.agent(*given).stdout == "200\n", "an answer about a name takes no secret away"
    before = gateways(cluster)
    name = before[0].rpartition("-gateway-")[0] + "-gateway"
    cluster.store.update(
        "Deployment", "default", name,
        lambda each: each["spec"]["template"]["metadata"]["annotations"].update(again="yes"),
    )  # fmt: skip
    eventually(lambda: (now := gateways(cluster)) and now != before)
    assert person.agent(*given).stdout == "200\n", "a new gateway is given it again"


def test_an_agent_that_was_cut_off_is_ended_before_the_next(
    cluster: DockerCluster, person: Person
) -> None:
    loop = "echo begun; while :; do sleep 0.2; date >> notes.md; done"
    person.write_agent("script", script_agent(loop, "pgrep -f 'date >> notes' | wc -l"))
    with subprocess.Popen(
        [sys.executable, "-m", "sandboxd", *person.words("script", "--print", "x")],
        cwd=person.laptop.project, env=person.laptop.environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    again = person.agent("script", "--resume", "--print", "x")
    assert "ended the agent that ran on" in " ".join(again.stderr.split())
    before = person.laptop("exec", "--name", "script", "wc", "-l", "notes.md").stdout
    assert before == person.laptop("exec", "--name", "script", "wc", "-l", "notes.md").stdout

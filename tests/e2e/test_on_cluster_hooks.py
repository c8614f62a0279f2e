"""Lifecycle hooks of a sandbox on a cluster: when they run, how they end, what is said, and to whom."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.e2e.test_on_cluster import CLOSED, Laptop, begin, cluster, laptop
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

__all__ = ["cluster", "laptop"]

LOG = "hooks.txt"
HOOKS = {
    "onCreateCommand": f"echo on >> {LOG}",
    "updateContentCommand": ["sh", "-c", f"cat; echo update $0 >> {LOG}", "a b"],
    "postCreateCommand": {
        "a": f"until [ -e b ]; do sleep 0.05; done; echo two >> {LOG}",
        "b": f"touch b; echo two >> {LOG}",
    },
    "postStartCommand": f"echo start >> {LOG}",
    "postAttachCommand": f"echo attach >> {LOG}; echo err >&2; echo shown $WHERE $UID; pwd",
    "remoteEnv": {"WHERE": "${containerWorkspaceFolder}", "UID": "it's mine", "a-b": "1"},
}
ONCE = ["on", "update a b", "two", "two"]


def write(laptop: Laptop, **config: Any) -> None:
    folder = laptop.project / ".devcontainer"
    folder.mkdir(exist_ok=True)
    (folder / "devcontainer.json").write_text(json.dumps(config))


def lines(laptop: Laptop) -> list[str]:
    return laptop("exec", "-n", "cat", LOG).stdout.splitlines()


@pytest.mark.parametrize("runtime_class", ["gvisor", "plain"])
def test_each_runs_at_its_time_and_no_request_says_what_it_is(
    cluster: DockerCluster, laptop: Laptop, runtime_class: str
) -> None:
    write(laptop, **HOOKS)
    laptop.config("dev", CLOSED)
    words = ("up", "--runtime-class", runtime_class)
    first = laptop(*words).stderr
    folder = f"/workspaces/{laptop.project.name}"
    assert "postCreateCommand of devcontainer.json: a `" in first
    assert "postAttachCommand | err\n" in first
    assert f"postAttachCommand | shown {folder} it's mine\n" in first
    assert f"postAttachCommand | {folder}\n" in first
    requests = [" ".join(request) for request in cluster.server.commands]
    assert requests and not any(LOG in each or "mine" in each for each in requests)
    assert lines(laptop) == [*ONCE, "start", "attach"]
    laptop(*words)
    (laptop.project / "main.py").write_text("print('rain')\n")
    laptop(*words, "--refresh")
    laptop(*words, "--no-hooks")
    assert lines(laptop)[6:] == ["attach", "attach"]
    laptop(*words, "--recreate")
    assert lines(laptop) == [*ONCE, "start", "attach"]


def test_one_that_fails_leaves_the_sandbox_and_runs_again(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    cluster.old_server()
    bad = {"good": "echo good", "bad": "printf '\\033[31mred\\n'; [ -e mended ] || exit 7"}
    write(laptop, **{**HOOKS, "updateContentCommand": bad})
    done = laptop("up", code=1)
    said = " ".join(done.stderr.split())
    failed = "`updateContentCommand` of devcontainer.json (`bad`) ended with exit code 7"
    behind = "not run: `postCreateCommand`, `postStartCommand`, `postAttachCommand`"
    assert f"error: {failed}; {behind} hint: the sandbox runs" in said
    assert "`sandboxd shell --on test`; `sandboxd up --on test` runs the hook again" in said
    assert "\x1b[31mred" not in done.stderr and "updateContentCommand bad | " in said
    status = json.loads(laptop("status", "--json").stdout)
    assert status["sandbox"]["hooks"] == [failed, behind]
    assert f"hooks        {failed}" in laptop("status").stdout
    assert lines(laptop) == ["on"]
    laptop("exec", "-n", "touch", "mended")
    laptop("up")
    assert lines(laptop) == ["on", "two", "two", "start", "attach"]
    assert json.loads(laptop("status", "--json").stdout)["sandbox"]["hooks"] == []


def begin_hook(laptop: Laptop) -> subprocess.Popen[str]:
    """An `up` whose hook has written `begun`."""
    process = begin(laptop, "up", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    while "| begun" not in process.stderr.readline():
        assert process.poll() is None
    return process


def test_an_interrupt_ends_what_runs_and_leaves_the_sandbox(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    write(laptop, onCreateCommand="echo begun; sleep 987 & sleep 987; touch no")
    process = begin_hook(laptop)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 130, rest
    processes = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls"

    def inside() -> str:
        return laptop("exec", "-n", "sh", "-c", processes).stdout

    # They were killed, and are gone when the kernel has come to them.
    eventually(lambda: "main.py" in (seen := inside()) and "sleep 987" not in seen, inside)
    assert "no\n" not in inside()
    assert "`onCreateCommand` of devcontainer.json was interrupted" in laptop("status").stdout
    write(laptop, onCreateCommand=f"echo mended >> {LOG}", waitFor="onCreateCommand", **LATER)
    assert "left to the next `sandboxd up --on test`: post" in laptop("up", "--until-ready").stderr
    assert lines(laptop) == ["mended"]
    laptop("up")
    assert lines(laptop) == ["mended", "start"]


LATER = {"postStartCommand": f"echo start >> {LOG}"}


def test_a_pod_that_goes_while_a_hook_runs_is_said_to_be_gone(
    cluster: DockerCluster, laptop: Laptop
) -> None:
    write(laptop, onCreateCommand="echo begun; sleep 987")
    process = begin_hook(laptop)
    laptop("down", "--discard")
    _, said = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 4, said
    assert "error: " in said and "Traceback" not in said


ASK = "import urllib.request as u; u.urlopen('http://refused.example/', timeout=60)"


UNTIL_NOTED = "until [ -e noted ]; do sleep 0.1; done"


def is_noted(laptop: Laptop) -> bool:
    """Whether the gateway's log has the refused name; False as long as there is no log."""
    command = [sys.executable, "-m", "sandboxd", "egress", "log", "--on", "test"]
    done = subprocess.run(
        command, cwd=laptop.project, env=laptop.environ, capture_output=True, text=True, check=False
    )
    return "refused.example" in done.stdout


def test_a_refused_name_and_a_profile_that_runs_none_are_said(
    cluster: DockerCluster, laptop: Laptop, rich: Rich
) -> None:
    laptop.image = rich.image
    laptop.config("dev")
    write(
        laptop,
        postCreateCommand=f'python3 -c "{ASK}" 2>&1 | tail -n 1; {UNTIL_NOTED}; exit 3',
        secrets={"K": {}},
    )
    process = begin(
        laptop,
        *("up", "--gateway-image", rich.image),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    eventually(lambda: process.poll() is not None or is_noted(laptop))
    # A node writes a log a moment after what it is of.
    laptop("exec", "-n", "touch", "noted")
    _, errors = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 1, errors
    said = " ".join(errors.split())
    assert "ended with exit code 3; the network refused `refused.example`" in said
    assert "hint: `sandboxd egress allow refused.example --on test` lets it through" in said
    assert "asks for `K`, which nobody gives on a cluster" in said
    assert "not in force lifecycle hooks: those of the image's label" in said
    laptop("down", "--discard")
    laptop.config("untrusted", CLOSED)
    said = " ".join(laptop("up").stderr.split())
    assert "not run: postCreateCommand: " in said
    assert "profile `untrusted` runs no code of the repository by itself" in said

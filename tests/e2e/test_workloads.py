"""What a profile lets work and what it stops: daily programs, and a call of each refused group.

Each runs as the first process of a container made by the plan, since under gVisor the filter is on
for nothing else. That a call is refused is only shown where it is answered differently without the
filter: the same calls run in the same container with `seccomp=unconfined`.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.plan import stubs
from sandboxd.plan.writers.engine import arguments
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]

TRACING = {"ptrace", "process-vm"}
# gVisor has its own kernel: what it does not implement needs no filter, and is not in it.
UNDER_GVISOR = {"open-tree", "unshare", "setns", "clone-new-user", "keyctl", "add-key"}
UNDER_RUNC = {
    "mount", "mount-new-api", "open-tree", "unshare", "setns", "clone-new-user", "clone3",
    "keyctl", "add-key", "kcmp", "pidfd-getfd", "process-madvise", "socket-alg", "socket-vsock",
    "io-uring", "perf", "userfaultfd",
}  # fmt: skip
REFUSED = {
    ("dev", "runc"): UNDER_RUNC,
    ("agent", "runc"): UNDER_RUNC | TRACING,
    ("dev", "gvisor"): UNDER_GVISOR,
    ("agent", "gvisor"): UNDER_GVISOR | TRACING,
}
# What a profile means to stop.
DEBUGGERS = {"dev": set[str](), "agent": {"debugger-attach", "strace", "gdb"}}


@pytest.fixture(scope="module")
def answers(engine: str) -> dict[str, dict[str, int]]:
    """What the calls are answered without a filter, by runtime."""
    return {}


def output(api: Engine, body: dict[str, object], script: str) -> list[str]:
    """The lines that a container of `body` prints while it does nothing but run `script`."""
    body = {**body, "Entrypoint": [], "Cmd": ["bash", "-c", script]}
    name = api.create(f"sandboxd-test-{secrets.token_hex(4)}", body)
    try:
        api.start(name)
        environ = os.environ | {"DOCKER_HOST": api.host}
        subprocess.run(
            ["docker", "wait", name], env=environ, check=True, timeout=300, capture_output=True
        )
        pieces = api.logs(name, follow=False, tail="all")
        return b"".join(data for _, data in pieces).decode().splitlines()
    finally:
        api.remove(name)


@pytest.mark.parametrize("profile", ["dev", "agent"])
def test_daily_work_works_and_what_the_profile_forbids_is_stopped(
    profile: str,
    runtime: str,
    tmp_path: Path,
    rich: Rich,
    api: Engine,
    host_facts: HostFacts,
    answers: dict[str, dict[str, int]],
) -> None:
    root = sandboxes.make_project(tmp_path / "w", rich.image, runtime, profile)
    plan = sandboxes.plan_of(root, host_facts)
    stubs.make(plan.workspace, plan.stubs)
    body = arguments(plan)
    if runtime not in answers:
        open_body = json.loads(json.dumps(body))
        sandboxes.UNCONFINED(open_body)
        (line,) = output(api, open_body, "python3 /opt/inside/denied.py")
        answers[runtime] = json.loads(line)
    programs = " ".join(sorted(rich.programs))
    script = f"python3 /opt/inside/workloads.py {programs}; python3 /opt/inside/denied.py"
    works, calls = (json.loads(line) for line in output(api, body, script))
    stopped = {name: words for name, words in works.items() if words}
    assert stopped.keys() == DEBUGGERS[profile] & works.keys(), stopped
    assert len(works) >= 18, sorted(works)
    changed = {name for name, errno in calls.items() if errno != answers[runtime][name]}
    assert changed == REFUSED[profile, runtime], (calls, answers[runtime])
    assert {calls[name] for name in changed} <= {1, 38}

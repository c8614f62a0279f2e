"""`nested_sandbox` on a real engine, with Debian's bubblewrap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from sandboxd.plan.plan import Plan
from sandboxd.verify.verdict import Verdict
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

BWRAP = "bwrap --ro-bind / / --dev /dev --unshare-all"


@pytest.fixture
def folder(tmp_path: Path, rich: Rich, runtime: str) -> Path:
    if "bwrap" not in rich.programs:
        pytest.skip("no `bwrap`: run `CI=true ./dev setup --tests`")
    folder = sandboxes.make_project(tmp_path / "w", rich.image, runtime)
    with (folder / "sandboxd.toml").open("a") as file:
        file.write('nested_sandbox = "calls"\n[workspace]\nlayout = "clone"\n')
    sandboxes.grant(folder)
    return folder


@pytest.fixture
def up(api: Engine, folder: Path, host_facts: HostFacts) -> Iterator[str]:
    with sandboxes.started(api, folder, host_facts) as running:
        yield running


def inside(api: Engine, container: str, script: str) -> tuple[int, str]:
    """The exit code of a shell script inside, and all that it said."""
    code, output = run_quietly(api, container, Exec(["sh", "-c", f"({script}) 2>&1"]))
    return code, output.decode().strip()


def verdict_of(api: Engine, container: str, folder: Path, facts: HostFacts) -> Verdict:
    return verify(api, container, sandboxes.plan_of(folder, facts))


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_bubblewrap_runs_without_a_fresh_proc(api: Engine, up: str) -> None:
    assert inside(api, up, f"{BWRAP} --bind /proc /proc id -u") == (0, "1000")
    # Its own sandbox holds: no network, and nothing that can be written.
    code, said = inside(api, up, f"{BWRAP} sh -c 'wc -l < /proc/net/route; echo x > /tmp/x'")
    assert code != 0 and "Read-only file system" in said
    for words, refusal in (
        ("--proc /proc true", "Can't mount proc on /proc"),
        ("--hostname other true", "Can't set hostname"),
        ("--unshare-user --disable-userns true", "max_user_namespaces"),
    ):
        code, said = inside(api, up, f"{BWRAP} {words}")
        assert code != 0 and refusal in said


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_verify_names_the_user_namespace_as_left_open_and_nothing_else_goes(
    api: Engine, up: str, folder: Path, host_facts: HostFacts
) -> None:
    verdict = verdict_of(api, up, folder, host_facts)
    assert verdict.held, verdict.of("escaped") + verdict.of("inconclusive")
    [open_] = [result for result in verdict.of("residual") if result.id == "user-namespace"]
    assert "`nested_sandbox` opens it" in open_.evidence
    # By a plan that does not want them, the same calls are a way out.
    plan: Plan = sandboxes.plan_of(folder, host_facts)
    drifted = verify(api, up, plan._replace(seccomp_path="dev-runc.json"))
    assert sandboxes.escaped(drifted) == {"user-namespace"}


@pytest.mark.parametrize("runtime", ["runc"], indirect=True)
def test_without_the_option_bubblewrap_gets_no_namespace(
    api: Engine, folder: Path, host_facts: HostFacts
) -> None:
    text = (folder / "sandboxd.toml").read_text()
    (folder / "sandboxd.toml").write_text(text.replace('nested_sandbox = "calls"\n', ""))
    with sandboxes.started(api, folder, host_facts) as running:
        code, said = inside(api, running, f"{BWRAP} true")
    assert code != 0 and "No permissions to create a new namespace" in said


@pytest.mark.gvisor
@pytest.mark.parametrize("runtime", ["gvisor"], indirect=True)
def test_under_gvisor_namespaces_are_its_own_and_nothing_is_left_open(
    api: Engine, up: str, folder: Path, host_facts: HostFacts
) -> None:
    # Of an `exec`, which no filter sees under old builds, and of the first process' kind.
    assert inside(api, up, "unshare -Ur id -u") == (0, "0")
    verdict = verdict_of(api, up, folder, host_facts)
    assert verdict.held, verdict.of("escaped") + verdict.of("inconclusive")
    assert "user-namespace" not in {result.id for result in verdict.of("residual")}
    code, said = inside(api, up, f"{BWRAP} --share-net id -u")
    assert (code, said) == (0, "1000") or "Failed to make / slave" in said

"""The profiles `review`, `untrusted` and `trusted` on a real engine: what each says, it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts
from sandboxd.life import find, up_down
from sandboxd.plan.plan import Plan
from tests.e2e import sandboxes
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def folder(
    tmp_path: Path, busybox_image: str, runtime: str, request: pytest.FixtureRequest
) -> Path:
    return sandboxes.make_project(tmp_path / "w", busybox_image, runtime, request.param)


@pytest.fixture
def plan(folder: Path, host_facts: HostFacts) -> Plan:
    return sandboxes.plan_of(folder, host_facts)


@pytest.fixture
def up(api: Engine, folder: Path, plan: Plan) -> Iterator[str]:
    yield sandboxes.up(api, plan, lambda _: None).id
    up_down.down(api, str(folder), lambda _: None)


def inside(api: Engine, container: str, script: str) -> list[str]:
    _, output = run_quietly(api, container, Exec(["sh", "-c", script]))
    return output.decode().split()


TRY = r"""
id -u; sed -n "3,\$s/:.*//p" /proc/net/dev; pwd
for f in main.py .git/hooks/x /bin/x /etc/x; do : 2>/dev/null >>$f && echo wrote:$f; done
cp /bin/busybox /tmp/true && /tmp/true; echo tmp:$?
cp /bin/busybox ~/true && ~/true; echo home:$?
""".replace(": 2>/dev/null >>$f", "(: >>$f) 2>/dev/null")


@pytest.mark.parametrize("folder", ["review"], indirect=True)
def test_review_reads_and_changes_nothing(api: Engine, folder: Path, up: str) -> None:
    before = sandboxes.tree(folder)
    assert inside(api, up, TRY) == ["1000", "lo", "/workspaces/w", "tmp:0", "home:0"]
    assert inside(api, up, "cat main.py; (: > main.py) 2>/dev/null")[:1] == ["print('hello')"]
    assert sandboxes.tree(folder) == before


@pytest.mark.parametrize("folder", ["untrusted"], indirect=True)
def test_untrusted_works_on_a_copy(api: Engine, folder: Path, up: str) -> None:
    before = sandboxes.tree(folder)
    output = inside(api, up, TRY)
    assert output == [
        *("1000", "lo", "/workspaces/w", "wrote:main.py", "wrote:.git/hooks/x"),
        *("tmp:0", "home:0"),
    ]
    assert inside(api, up, "rm -rf /sandboxd/workspace/* .git; : > main.py; ls -A") != []
    assert sandboxes.tree(folder) == before
    again = sandboxes.up(
        api, sandboxes.plan_of(folder, sandboxes.facts_of(api.host)), lambda _: None
    )
    assert again.how == "already running"


@pytest.mark.parametrize("folder", ["untrusted"], indirect=True)
def test_a_copy_that_does_not_fit_is_no_sandbox(api: Engine, folder: Path, plan: Plan) -> None:
    (folder / "large").write_bytes(b"x" * (3 << 20))
    small = [
        v._replace(value=v.value._replace(options=(*v.value.options, "size=1m")))
        if v.value.target == "/workspaces/w"
        else v
        for v in plan.container.mounts
    ]
    plan = plan._replace(container=plan.container._replace(mounts=tuple(small)))
    with pytest.raises(EnvironmentFailure, match="could not be copied"):
        sandboxes.up(api, plan, lambda _: None)
    assert find.project_containers(api, str(folder)) == []


@pytest.mark.parametrize("folder", ["untrusted"], indirect=True)
def test_the_time_limit_ends_it_and_no_signal_from_inside_halts_it(
    api: Engine, up: str, plan: Plan
) -> None:
    assert inside(api, up, "kill -STOP 1; cat /proc/1/cmdline | tr '\\0' ' '") == ["sleep", "3600"]

    def state() -> str:
        words = inside(api, up, "cat /proc/1/status")
        return words[words.index("State:") + 1]

    # Measured: gVisor lets a program halt the first process, in its own time. The plan says so.
    if plan.gvisor:
        eventually(lambda: state() == "T", state)
    else:
        assert state() != "T"
    halting = [d for d in plan.downgrades if d.control == "time limit" and "halt" in d.why]
    assert bool(halting) == plan.gvisor


def test_trusted_needs_a_grant(engine: str, tmp_path: Path, busybox_image: str) -> None:
    root = sandboxes.make_project(tmp_path / "w", busybox_image, "auto", "trusted")
    refused = sandboxes.run(engine, root, "up")
    assert refused.returncode == 2 and "sandboxd trust add" in refused.stderr
    granted = sandboxes.run(engine, root, "trust", "add", "--yes")
    assert granted.returncode == 0 and "no new privileges: true -> false" in granted.stderr
    try:
        started = sandboxes.run(engine, root, "up")
        assert started.returncode == 0, started.stderr
        output = sandboxes.run(
            engine, root, "exec", "sh", "-c", "grep -E 'CapBnd|NoNew' /proc/1/status"
        )
        assert output.stdout.split() == ["CapBnd:", "00000000a80425fb", "NoNewPrivs:", "0"]
        with (root / "sandboxd.toml").open("a") as config:
            config.write("# another content\n")
        assert sandboxes.run(engine, root, "up").returncode == 2
        assert "void" in sandboxes.run(engine, root, "trust").stdout
    finally:
        assert sandboxes.run(engine, root, "down").returncode == 0


@pytest.mark.gvisor
def test_review_holds_where_a_plain_read_only_folder_does_not(
    api: Engine, tmp_path: Path, busybox_image: str, host_facts: HostFacts
) -> None:
    """Stock runsc with directfs: a plain `:ro` folder can be emptied there (docs/decisions/0003)."""
    root = sandboxes.make_project(tmp_path / "w", busybox_image, "gvisor", "review")
    assert host_facts.engine is not None
    stock = host_facts.engine.runtime("runsc")
    assert stock is not None and not stock.directfs_off()
    facts = host_facts._replace(engine=host_facts.engine._replace(runtimes=(stock,)))
    before = sandboxes.tree(root)
    attack = (
        "for f in main.py .git/config; do (: > $f) 2>/dev/null; done;"
        "unshare -Ur true 2>/dev/null && unshare -Urm sh -c"
        " 'mount -o remount,bind,rw /workspaces/w; echo bad > main.py; mv .git g' 2>/dev/null;"
        "cat main.py"
    )
    running = sandboxes.up(api, sandboxes.plan_of(root, facts), lambda _: None)
    try:
        assert inside(api, running.id, attack) == ["print('hello')"]
        assert sandboxes.tree(root) == before
        verdict = verify(api, running.id, sandboxes.plan_of(root, facts))
        assert sandboxes.escaped(verdict) == set()
    finally:
        up_down.down(api, str(root), lambda _: None)
    assert sandboxes.tree(root) == before

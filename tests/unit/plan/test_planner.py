"""The plan: pure, with a reason for everything, and never opening the host."""

from __future__ import annotations

import itertools

import pytest

from sandboxd.config.values import profile_names
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import UNKNOWN, Engine, HostFacts, Runtime
from sandboxd.host.platforms import why_no_gateway
from sandboxd.model.values import Value
from sandboxd.plan.grants import Grants
from sandboxd.plan.limits import processors
from sandboxd.plan.plan import Plan
from tests.unit.plan.examples import (
    DIRECTFS,
    GVISOR,
    HOSTS,
    PLAIN,
    RUNC,
    RUNC_GRANTED,
    STOCK,
    configured,
    controls,
    only,
    own_git,
    plan,
    plan_of,
    workspace,
)

ALL = list(itertools.product(profile_names(), HOSTS))


@pytest.mark.parametrize(("profile", "host"), ALL)
def test_every_plan_is_closed_and_explained(profile: str, host: str) -> None:
    the_plan = plan(f'profile = "{profile}"', HOSTS[host], grants=RUNC_GRANTED)
    container = the_plan.container
    assert container.privileged is None
    trusted = profile == "trusted"
    assert [cap.value for cap in container.cap_drop] == ([] if trusted else ["ALL"])
    assert (container.pid, container.ipc, container.uts, container.userns) == (None,) * 4
    assert container.devices == () and container.host_commands == () and container.ports == ()
    assert container.network is not None and container.network.value in ("none", "bridge")
    assert {a.value for a in container.annotations} <= {("dev.gvisor.flag.oci-seccomp", "true")}
    nnp = container.option("no-new-privileges")
    assert trusted or (nnp is not None and nnp.value.value == "true")
    for mount in container.mounts:
        inside = mount.value.source.startswith("/home/dev/weather") or mount.value.type == "tmpfs"
        ours = (
            mount.value.source.startswith("sandboxd-pin-") or mount.value.source == own_git().inside
        )
        assert inside or ours
    explained = {(reason.field, reason.item) for reason in the_plan.reasons}
    for field in container._fields:
        values = getattr(container, field)
        for value in (values,) if isinstance(values, Value) else values or ():
            if isinstance(value, Value) and field != "labels":
                assert (field, value.written) in explained, (field, value)
    assert all(reason.why and reason.decided_by for reason in the_plan.reasons)


@pytest.mark.parametrize(("profile", "host"), ALL)
def test_same_inputs_same_plan(profile: str, host: str) -> None:
    text = f'profile = "{profile}"'
    assert plan(text, HOSTS[host], grants=RUNC_GRANTED) == plan(
        text, HOSTS[host], grants=RUNC_GRANTED
    )


def test_dev_takes_gvisor_where_it_works_and_says_why_where_not() -> None:
    with_gvisor, without = plan(), plan(host=PLAIN)
    assert with_gvisor.gvisor and not without.gvisor
    assert with_gvisor.container.runtime is not None
    assert with_gvisor.container.runtime.value == "runsc-sandboxd"
    assert without.container.runtime is not None and without.container.runtime.value == "runc"
    assert "gVisor" not in controls(with_gvisor)
    reason = next(d for d in without.downgrades if d.control == "gVisor")
    assert reason.why.startswith("no gVisor runtime is registered with the engine")
    assert "sandboxd setup gvisor" in reason.fix


def test_a_runtime_that_was_never_tried_is_not_used() -> None:
    untried = STOCK._replace(usable=None, gvisor=None, why="never tried: no trial was asked for")
    the_plan = plan(host=only(RUNC, untried))
    assert not the_plan.gvisor
    assert "never tried" in the_plan.downgrades[0].why


@pytest.mark.parametrize(
    "host",
    [PLAIN, UNKNOWN, HostFacts(engine=Engine("unix:///x", error="no engine", hint="start it"))],
)
def test_agent_refuses_without_gvisor(host: HostFacts) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan('profile = "agent"', host)
    assert caught.value.message.startswith("profile `agent` needs gVisor, but ")
    assert "--allow-runc" in caught.value.hint


def test_an_engine_that_went_down_changes_no_plan() -> None:
    assert GVISOR.engine is not None
    down = GVISOR._replace(engine=GVISOR.engine._replace(error="not running", hint="start it"))
    for text in ("", 'profile = "agent"'):
        assert plan(text, down) == plan(text, GVISOR)


def test_the_repository_cannot_grant_runc_to_agent_but_the_user_can() -> None:
    text = 'profile = "agent"\nruntime = "runc"'
    with pytest.raises(UsageError, match="needs gVisor"):
        plan(text)
    the_plan = plan(text, grants=RUNC_GRANTED)
    assert not the_plan.gvisor and "gVisor" in controls(the_plan)
    assert the_plan.seccomp_path.endswith("agent-runc.json")


def test_asking_for_gvisor_where_there_is_none_fails() -> None:
    with pytest.raises(EnvironmentFailure, match=r"gVisor is asked for, but no gVisor"):
        plan('runtime = "gvisor"', PLAIN)


def test_asking_for_runc_although_gvisor_works_is_named() -> None:
    the_plan = plan('runtime = "runc"', grants=RUNC_GRANTED)
    assert the_plan.downgrades[0].why.startswith(
        "sandboxd.toml asks for runc although `runsc-sandboxd`"
    )


def test_runc_that_cannot_start_is_an_error_with_its_fix() -> None:
    broken = Runtime("runc", "runc", usable=False, why="no cgroups", fix="mount them")
    with pytest.raises(EnvironmentFailure, match="runc cannot start a container: no cgroups"):
        plan(host=only(broken))


def test_an_engine_without_runc_uses_its_default() -> None:
    crun = Runtime("crun", "/usr/bin/crun", usable=True, gvisor=False)
    the_plan = plan(host=only(crun, default_runtime="crun"))
    assert the_plan.container.runtime is not None and the_plan.container.runtime.value == "crun"


def test_an_engine_whose_only_runtime_starts_nothing_is_refused_in_words() -> None:
    crun = Runtime("crun", "/usr/bin/crun", usable=False, why="it needs version 2", fix="boot so")
    with pytest.raises(EnvironmentFailure, match="`crun` cannot start a container") as refused:
        plan(host=only(crun, default_runtime="/usr/bin/crun"))
    assert refused.value.hint == "boot so"


def test_a_plan_with_names_says_that_podman_with_gvisor_makes_no_gateway() -> None:
    def is_said(host: HostFacts) -> bool:
        assert host.engine is not None
        on_podman = host._replace(engine=host.engine._replace(kind="podman"))
        without = why_no_gateway(on_podman)
        whys = [one.why for one in plan(host=on_podman).downgrades]
        return without is not None and without.why in whys

    assert is_said(DIRECTFS)
    assert not is_said(only(RUNC))


def test_seccomp_by_runtime() -> None:
    gvisor, runc = plan(), plan(host=PLAIN)
    assert gvisor.seccomp_path.endswith("dev-runsc.json")
    assert [a.value.name for a in gvisor.container.annotations] == ["dev.gvisor.flag.oci-seccomp"]
    assert "seccomp" in controls(gvisor)
    assert runc.seccomp_path.endswith("dev-runc.json")
    assert runc.container.annotations == () and "seccomp" not in controls(runc)


def test_the_seeds_list_is_not_used_under_gvisor_and_its_faults_are_named() -> None:
    gvisor = plan('profile = "seed-baseline"', grants=RUNC_GRANTED)
    assert gvisor.seccomp_path == "" and gvisor.container.option("seccomp") is None
    assert gvisor.container.annotations == ()
    runc = plan('profile = "seed-baseline"', PLAIN, grants=RUNC_GRANTED)
    assert any("eventfd2" in d.why for d in runc.downgrades)
    assert {c.value for c in runc.container.cap_add} == {
        "CHOWN",
        "DAC_OVERRIDE",
        "SETGID",
        "SETUID",
    }


def test_a_kernel_without_seccomp_is_named_or_refused() -> None:
    bare = only(RUNC, security_options=("name=apparmor",))
    the_plan = plan(host=bare)
    assert the_plan.seccomp_path == "" and "seccomp" in controls(the_plan)
    with pytest.raises(EnvironmentFailure, match="needs a seccomp filter"):
        plan('profile = "agent"', bare, grants=RUNC_GRANTED)


def test_limits_take_the_form_that_the_runtime_holds() -> None:
    gvisor, runc = plan().container, plan(host=PLAIN).container
    assert gvisor.pids_limit is None and gvisor.ulimits[0].value == ("nproc", "4096:4096")
    assert runc.pids_limit is not None and runc.pids_limit.value == 4096 and runc.ulimits == ()
    rootless = plan(host=HOSTS["debian-rootless-cgroup1"])
    assert rootless.container.memory is None and "limits" in controls(rootless)


@pytest.mark.parametrize(
    ("asked", "there", "number"),
    [
        ("90%", 2, "1.8"),
        ("50%", 1, "0.5"),
        ("33%", 64, "21.12"),
        ("100%", 8, "8"),
        ("1.5", 8, "1.5"),
        ("4", 2, "2"),
        ("0.001", 2, "0.01"),
    ],
)
def test_processors_are_never_more_than_there_are(asked: str, there: int, number: str) -> None:
    assert processors(asked, there) == number


def test_the_use_of_processors_is_limited_where_the_engine_can() -> None:
    assert GVISOR.engine is not None and GVISOR.engine.processors == 2
    for text, number in (("", "1.8"), ('profile = "untrusted"', "1")):
        cpus = plan(text).container.cpus
        assert cpus is not None and cpus.value == number
    assert plan('profile = "trusted"', grants=RUNC_GRANTED).container.cpus is None
    for engine in (
        GVISOR.engine._replace(processors=None),
        GVISOR.engine._replace(cpu_quota=False),
        GVISOR.engine._replace(rootless=True, cgroup_version="2"),
    ):
        the_plan = plan(host=GVISOR._replace(engine=engine))
        assert the_plan.container.cpus is None and "cpu limit" in controls(the_plan)


def test_network() -> None:
    assert "network" in controls(plan(workspace=workspace(subnet="")))
    assert "network" not in controls(plan()), "who starts the files finds a gateway"
    for the_plan in (plan('[network]\nmode = "none"'), plan('profile = "agent"')):
        assert the_plan.container.network is not None and the_plan.container.network.value == "none"
        assert "network" not in controls(the_plan)
    with pytest.raises(UsageError, match="has no network"):
        plan('profile = "review"\n[network]\nmode = "allow"', grants=Grants(trusted=True))


def test_a_policy_for_a_gateway_beside_the_network_of_tools_that_make_none() -> None:
    daily, alone = plan(), plan('profile = "agent"')
    assert daily.egress is not None and not daily.egress.canaries
    assert alone.egress is not None and alone.egress.canaries
    of_compose = plan(workspace=workspace(subnet=""))
    why = next(d.why for d in of_compose.downgrades if d.control == "network")
    assert "`sandboxd up` lets only the allowed names through" in why
    for text in ('profile = "review"', 'profile = "untrusted"', '[network]\nmode = "none"'):
        assert plan(text).egress is None
    assert plan('profile = "trusted"', grants=Grants(trusted=True)).egress is None


def test_capabilities_are_bounded_by_the_profile() -> None:
    the_plan = plan('[capabilities]\nadd = ["KILL", "CHOWN"]', grants=RUNC_GRANTED)
    added = [c.value for c in the_plan.container.cap_add]
    assert added == ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID", "KILL"]
    for cap in ("SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN", "DAC_READ_SEARCH", "SYS_MODULE"):
        with pytest.raises(UsageError, match=f"does not allow capability `{cap}`"):
            plan(f'[capabilities]\nadd = ["{cap}"]')
    with pytest.raises(UsageError):
        plan('profile = "agent"\n[capabilities]\nadd = ["KILL"]')


def test_user() -> None:
    def user(the_plan: Plan) -> str | None:
        return the_plan.container.user.value if the_plan.container.user else None

    assert user(plan()) == "1000:1000"
    assert user(plan('user = "vscode"')) == "vscode"
    assert user(plan(hand_written='{"image": "i", "remoteUser": "node"}')) == "node"
    root_owned = plan(workspace=workspace(owner_uid=0, owner_gid=0))
    assert user(root_owned) is None and "non-root user" in controls(root_owned)
    rootless = plan(host=HOSTS["debian-rootless-cgroup1"])
    assert user(rootless) == "0:0" and "non-root user" in controls(rootless)
    for name in ("root", "0", "0:0", "root:root", "00", "+0", "-0:1000"):
        with pytest.raises(UsageError, match="does not run as root"):
            plan(f'user = "{name}"')


def test_no_profile_that_runs_as_a_user_runs_in_roots_group() -> None:
    """A setgid file that it leaves in the workspace gives that group to whoever runs it on the host."""

    def user(the_plan: Plan) -> str | None:
        return the_plan.container.user.value if the_plan.container.user else None

    for name in ("1000:0", "dev:root", "1000:+0", "1000:00"):
        with pytest.raises(UsageError, match="does not run in root's group"):
            plan(f'user = "{name}"')
    # An engine puts a number without a group, which the image has no line for, into root's.
    assert user(plan('user = "1001"')) == "1001:1001"
    by_hand = plan(hand_written='{"image": "i", "containerUser": "1001:0"}')
    assert user(by_hand) == "1000:1000" and "1001:0" in by_hand.left_out[0].item
    assert user(plan(workspace=workspace(owner_gid=0))) == "1000:1000"
    assert user(plan('profile = "trusted"\nuser = "1000:0"', grants=RUNC_GRANTED)) == "1000:0"


def test_image() -> None:
    with pytest.raises(UsageError, match="no image is named"):
        plan_of(configured(""), GVISOR, None, workspace())
    the_plan = plan('image = "mine"', hand_written='{"image": "theirs"}')
    assert the_plan.container.image is not None and the_plan.container.image.value == "mine"
    built = plan(hand_written='{"build": {"dockerfile": "Dockerfile"}}')
    assert built.container.image is None


def test_directfs_pins_folders_by_volumes_and_files_by_binds() -> None:
    mounts = {m.value.target: m.value for m in plan(host=DIRECTFS).container.mounts}
    for target, source in (
        ("/workspaces/weather/.devcontainer", "/home/dev/weather/.devcontainer"),
        ("/sandboxd/git/objects", "/home/dev/weather/.git/objects"),
    ):
        assert (mounts[target].type, mounts[target].read_only) == ("volume", True)
        assert "volume-opt=o=bind,ro" in mounts[target].options
        assert f"volume-opt=device={source}" in mounts[target].options
    config_file = mounts["/workspaces/weather/sandboxd.toml"]
    assert (config_file.type, config_file.read_only) == ("bind", True)
    own = mounts["/workspaces/weather/.git"]
    assert (own.type, own.read_only) == ("bind", False)
    assert own.source.endswith("/inside")


def test_the_plan_is_made_from_what_the_build_was_seen_to_hold() -> None:
    """The same project under gVisor of 2024 and of 2026, both as they were recorded."""
    old, new = plan(host=HOSTS["debian-13-gvisor-2024"]), plan(host=HOSTS["debian-13-gvisor-2026"])
    assert old.container.runtime is not None and old.container.runtime.value == "runsc-sandboxd"
    assert new.container.runtime is not None and new.container.runtime.value == "runsc"
    assert {"seccomp", "gVisor build"} <= set(controls(old))
    assert not {"seccomp", "gVisor build"} & set(controls(new))
    for the_plan in (old, new):
        mounts = {m.value.target: m.value for m in the_plan.container.mounts}
        for target in ("/workspaces/weather/.devcontainer", "/sandboxd/git/objects"):
            assert (mounts[target].type, mounts[target].read_only) == ("bind", True)
    build = next(d for d in old.downgrades if d.control == "gVisor build")
    assert "3-4 x" in build.why and "setup gvisor --update" in build.fix


@pytest.mark.parametrize(
    ("name", "runtime", "text", "says"),
    [
        ("debian-13-gvisor-2024", "runsc", "", True),
        ("debian-13-gvisor-2024", "runsc-sandboxd", "", False),
        # A filter in `exec` stops the mounts, and a copy has nothing pinned.
        ("debian-13-gvisor-2026", "runsc", "", False),
        ("debian-13-gvisor-2024", "runsc", '[workspace]\nlayout = "clone"\n', False),
    ],
)
def test_pins_that_can_be_moved_away_are_said(
    name: str, runtime: str, text: str, says: bool
) -> None:
    host = HOSTS[name]
    assert host.engine is not None
    entry = host.engine.runtime(runtime)
    assert entry is not None
    host = host._replace(engine=host.engine._replace(runtimes=(entry,)))
    the_plan = plan(text, host=host)
    said = [d for d in the_plan.downgrades if "can move what is pinned away" in d.why]
    assert bool(said) is says and all("setup gvisor" in d.fix for d in said)


def test_what_was_decided_of_the_build_is_explained() -> None:
    def items(name: str) -> dict[str, str]:
        reasons = plan(host=HOSTS[name]).reasons
        return {reason.item: reason.why for reason in reasons if reason.field == "runtime"}

    old, new = items("debian-13-gvisor-2024"), items("debian-13-gvisor-2026")
    assert {"directfs off", "the network of the host's kernel"} < old.keys()
    assert "Seccomp 0" in old["seccomp does not count in `exec`"]
    assert {"directfs on", "gVisor's own network", "seccomp counts in `exec`"} < new.keys()
    untried = items("ubuntu-24-04-gvisor")
    assert untried["premises of gVisor"] == "none counts: `sandboxd doctor --try` tries them"

"""The floor: organisation, then user; each only takes away; what is unclear stops everything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.plan import profiles
from sandboxd.plan.floor import loosened
from sandboxd.plan.grants import Grants
from sandboxd.plan.limits import processors
from sandboxd.policy import floor
from sandboxd.policy.floor import NO_FLOOR, Demand, Floor
from tests.unit.plan.examples import GVISOR, PLAIN, configured, plan_of, workspace


def load(files: tuple[Path, Path]) -> Floor:
    organisation, user = files
    return floor.load({"XDG_CONFIG_HOME": str(user.parent.parent)}, str(organisation))


def test_no_file_demands_nothing(files: tuple[Path, Path]) -> None:
    assert load(files) == NO_FLOOR


def test_a_policy_that_is_no_file_is_refused_without_waiting_for_it(
    files: tuple[Path, Path],
) -> None:
    """Nobody may ever write to a named pipe, and what was taken back would wait for that."""
    os.mkfifo(files[1])
    with pytest.raises(UsageError, match="no regular file"):
        load(files)
    files[1].unlink()
    files[1].symlink_to("/dev/null")
    with pytest.raises(UsageError, match="no regular file"):
        load(files)


def test_a_config_folder_without_a_whole_path_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository could bring one, with credentials whose secret is what a command prints."""
    (tmp_path / "here" / "sandboxd").mkdir(parents=True)
    (tmp_path / "here" / "sandboxd" / "policy.toml").write_text("trust = false\n")
    monkeypatch.chdir(tmp_path)
    environ = {"XDG_CONFIG_HOME": "here", "HOME": str(tmp_path / "home")}
    assert floor.user_folder(environ) == str(tmp_path / "home" / ".config" / "sandboxd")
    assert floor.load(environ, str(tmp_path / "none.toml")) == NO_FLOOR


def test_both_hold_and_the_second_gives_nothing_back(files: tuple[Path, Path]) -> None:
    files[0].write_text('profiles = ["dev", "agent"]\nruntime = "gvisor"\n')
    files[1].write_text('profiles = ["dev", "trusted"]\ncapabilities = ["CAP_KILL"]\n')
    both = load(files)
    assert both.gvisor
    assert (both.profiles, both.capabilities) == (frozenset({"dev"}), frozenset({"KILL"}))
    assert [demand.path for demand in both.demands] == [str(files[0])] * 2 + [str(files[1])] * 2


def test_the_image_of_gateways_is_the_organisations_before_the_users(
    files: tuple[Path, Path],
) -> None:
    mine, theirs = (f"{name}.example/gateway@sha256:{'0' * 64}" for name in ("mine", "corp"))
    files[1].write_text(f'gateway_image = "{mine}"\n')
    assert load(files).gateway_image == mine
    files[0].write_text(f'gateway_image = "{theirs}"\n')
    assert load(files).gateway_image == theirs


def test_of_each_limit_the_smaller_one_counts(files: tuple[Path, Path]) -> None:
    files[0].write_text('[limits]\nmemory = "8g"\nprocesses = 512\n')
    files[1].write_text('[limits]\nmemory = "900m"\ncpus = "50%"\nprocesses = 1024\n')
    assert dict(load(files).limits) == {"memory": "900m", "processes": 512, "cpus": "50%"}


def test_the_smaller_bound_of_caches_counts(files: tuple[Path, Path]) -> None:
    files[1].write_text('caches = "100 GiB"\n')
    assert load(files).caches == 100 << 30
    files[0].write_text('caches = "512MiB"\n')
    assert load(files).caches == 512 << 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile = []", "unknown key `profile`"),
        ('runtime = "runc"', "a policy can only take away"),
        ('network = "default"', "a policy can only take away"),
        ("allow_runc = true", "a policy can only take away"),
        ("trust = 0", "a policy can only take away"),
        ('enforce = "all"', "a list of strings"),
        ('profiles = "dev"', "a list of strings"),
        ('gateway_image = "gateway:1"', "a tag can be moved"),
        ('gateway_image = "gateway@sha256:12"', "a tag can be moved"),
        ("gateway_image = 1", "a tag can be moved"),
        ("caches = 20", "a size like `20GiB`"),
        ('caches = "0GiB"', "a size like `20GiB`"),
        ('caches = "20GB"', "a size like `20GiB`"),
        ('limits = "8g"', "a table, `[limits]`"),
        ('[limits]\nmemroy = "8g"', "unknown limit `memroy`"),
        ('[limits]\nmemory = "8gb"', "a size like `512m`"),
        ("[limits]\nprocesses = true", "a whole number"),
        ("profiles = [", "not valid TOML"),
        ("\udcff", "not valid TOML"),
    ],
)
def test_what_is_unclear_stops_everything(
    files: tuple[Path, Path], text: str, message: str
) -> None:
    files[1].write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        load(files)
    assert message in caught.value.message + caught.value.hint


def test_a_policy_that_is_not_read_whole_stops_everything(files: tuple[Path, Path]) -> None:
    """What is cut off may be a demand, and a comment that is cut is valid."""
    last = "profiles = []\n"
    files[0].write_text("#" * ((1 << 20) - len(last) - 1) + "\n" + last)
    assert load(files).profiles == frozenset()
    files[0].write_text("#" * (1 << 20) + "\n" + last)
    with pytest.raises(UsageError, match=r"is larger than 1 MiB, so not all of it would be read"):
        load(files)


def test_a_policy_behind_a_broken_link_stops_everything(files: tuple[Path, Path]) -> None:
    """As in a folder that is mounted later: there is a policy, and nobody can say what it demands."""
    files[0].symlink_to("/nonexistent/policy.toml")
    with pytest.raises(UsageError, match=f"the link `{files[0]}` leads to what is not there"):
        load(files)
    files[0].unlink()
    folder = files[1].parent
    folder.rmdir()
    folder.symlink_to("/nonexistent/sandboxd")
    with pytest.raises(UsageError, match=f"the link `{folder}` leads to what is not there"):
        load(files)
    folder.unlink()
    assert load(files) == NO_FLOOR


def test_a_policy_that_others_can_write_is_none(files: tuple[Path, Path]) -> None:
    files[1].write_text("")
    files[1].chmod(0o666)
    with pytest.raises(UsageError, match="can be written by others"):
        load(files)


def test_a_policy_of_another_user_stops_everything_and_one_of_root_does_not(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files[1].write_text("")
    owner = files[1].stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:
        load(files)
        os.chown(files[1], 4242, 4242)
    with pytest.raises(UsageError, match="can be written by others"):
        load(files)


def planned(demanded: Floor, text: str = "", host: object = GVISOR, **grants: bool) -> object:
    config = configured('image = "img:1"\n' + text)
    return plan_of(config, host, None, workspace(), Grants(**grants), demanded)  # type: ignore[arg-type]


def test_a_profile_must_be_allowed() -> None:
    demanded = Floor(profiles=frozenset({"agent"}))
    with pytest.raises(UsageError, match="profile `dev` is not allowed"):
        planned(demanded)
    planned(demanded, 'profile = "agent"')


def test_gvisor_can_be_demanded_of_every_profile() -> None:
    demanded = Floor(gvisor=True)
    with pytest.raises(EnvironmentFailure, match="needs gVisor"):
        planned(demanded, host=PLAIN)
    with pytest.raises(EnvironmentFailure, match="needs gVisor"):
        planned(demanded, host=PLAIN, allow_runc=True)
    with pytest.raises(UsageError, match="demands gVisor"):
        planned(demanded, 'runtime = "runc"')


def test_the_grant_of_runc_can_be_forbidden() -> None:
    text = 'profile = "agent"'
    planned(NO_FLOOR, text, PLAIN, allow_runc=True)
    with pytest.raises(EnvironmentFailure, match="needs gVisor"):
        planned(Floor(no_runc_grant=True), text, PLAIN, allow_runc=True)


def test_network_and_capabilities() -> None:
    the_plan = planned(Floor(no_network=True), '[network]\nmode = "default"')
    assert the_plan.container.network.value == "none"  # type: ignore[attr-defined]
    text = '[capabilities]\nadd = ["KILL"]'
    planned(Floor(capabilities=frozenset({"KILL"})), text, trusted=True)
    with pytest.raises(UsageError, match="does not allow capability `KILL`"):
        planned(Floor(capabilities=frozenset()), text)


def test_a_capability_that_no_trust_can_give_is_named_before_trust_is_asked_for() -> None:
    with pytest.raises(UsageError, match="does not allow capability `SYS_ADMIN`"):
        planned(NO_FLOOR, '[capabilities]\nadd = ["KILL", "SYS_ADMIN"]')


def test_trusted_needs_a_grant_that_can_be_forbidden() -> None:
    text = 'profile = "trusted"'
    with pytest.raises(UsageError, match="takes controls away"):
        planned(NO_FLOOR, text)
    planned(NO_FLOOR, text, trusted=True)
    with pytest.raises(UsageError, match="alone cannot choose it"):
        planned(Floor(no_trust=True), text, trusted=True)


LOOSER = {
    "trusted": ('profile = "trusted"', "takes controls away"),
    "seed-baseline": ('profile = "seed-baseline"', "takes controls away"),
    "runtime": ('runtime = "runc"', "alone cannot take gVisor away"),
    "capability": ('[capabilities]\nadd = ["KILL"]', "does not have `KILL`"),
    "volume": ('[workspace]\nshared_volumes = ["cache"]', "alone cannot share `cache`"),
    "folder": ('[workspace]\nfolders = ["../lib"]', "alone cannot have `../lib` read inside"),
    "gpus": ('[devices]\ngpus = ["all"]', "alone cannot have graphics processors"),
    "layout": ('profile = "agent"\n[workspace]\nlayout = "bind"', "host's folder itself"),
}


@pytest.mark.parametrize("key", LOOSER)
def test_a_key_that_loosens_counts_only_with_a_grant(key: str) -> None:
    text, message = LOOSER[key]
    with pytest.raises(UsageError, match=message) as caught:
        planned(NO_FLOOR, text)
    assert "sandboxd trust add" in caught.value.hint
    planned(NO_FLOOR, text, trusted=True)
    forbidden = Demand("trust", False, "/etc/sandboxd/policy.toml")
    with pytest.raises(UsageError, match=message) as caught:
        planned(Floor(no_trust=True, demands=(forbidden,)), text, trusted=True)
    assert "`/etc/sandboxd/policy.toml` forbids to trust it" in caught.value.hint


def test_runc_is_no_less_where_there_is_no_gvisor() -> None:
    the_plan = planned(NO_FLOOR, 'runtime = "runc"', PLAIN)
    assert the_plan.container.runtime.value == "runc"  # type: ignore[attr-defined]


def test_runc_for_one_run_is_the_user_s_to_allow() -> None:
    text = 'runtime = "runc"'
    assert not planned(NO_FLOOR, text, allow_runc=True).gvisor  # type: ignore[attr-defined]
    for grants in ({"allow_runc": True}, {"trusted": True}):
        with pytest.raises(UsageError, match="alone cannot take gVisor away") as caught:
            planned(Floor(no_runc_grant=True), text, **grants)
        assert "forbids runc where gVisor works" in caught.value.hint


TIGHTER = (
    "[devices]\ngpus = []",
    'runtime = "gvisor"',
    '[network]\nmode = "none"',
    '[workspace]\nlayout = "clone"',
    "[workspace]\nhot = []",
    '[workspace]\nlayout = "bind"',  # as `dev` has it
    '[capabilities]\nadd = ["CHOWN"]',  # `dev` has it
    'user = "vscode"',
    '[environment]\nA = "1"',
    '[rules]\nhome-mounted = "off"',
    'profile = "agent"',
    'profile = "review"',
    'profile = "untrusted"',
)


@pytest.mark.parametrize("text", TIGHTER)
def test_what_only_tightens_counts_at_once(text: str) -> None:
    planned(NO_FLOOR, text)
    config = configured('image = "img:1"\n' + text)
    assert loosened(profiles.load(config.profile.value), config) == ()


def test_a_profile_that_is_weaker_than_the_default_needs_a_grant() -> None:
    """Each control of a profile that a file may choose by itself is at least that of `dev`."""
    usual = profiles.load("dev")
    reach = profiles.NETWORK_STRENGTH
    weight = {"on request": 0, "preferred": 1, "required": 2}
    for name in profiles.names():
        profile = profiles.load(name)
        tighter = (
            weight[profile.gvisor] >= weight[usual.gvisor]
            and profile.cap_drop == ("ALL",)
            and {*profile.cap_add, *profile.cap_may_add} <= {*usual.cap_add, *usual.cap_may_add}
            and profile.no_new_privileges
            and profile.user == "non-root"
            and bool(profile.seccomp_runc and profile.seccomp_runsc and profile.apparmor)
            and reach.index(profile.network.mode) <= reach.index(usual.network.mode)
            and not profile.network.allow
            and usual.network.by_files >= profile.network.by_files
            and reach.index(profile.network.without_gateway)
            <= reach.index(usual.network.without_gateway)
            and 0 < profile.processes <= usual.processes
            and 0 < int(profile.memory[:-1] or 0) <= int(usual.memory[:-1])
            and bool(profile.cpus)
            and float(processors(profile.cpus, 64)) <= float(processors(usual.cpus, 64))
            and {*usual.control_files} <= {*profile.control_files}
        )
        assert tighter is not profile.needs_grant, name


BIND, CLONE = '[workspace]\nlayout = "bind"', '[workspace]\nlayout = "clone"'


def access(the_plan: object) -> str:
    """What the workspace is inside: the host's folder (`bind`), or memory (`tmpfs`)."""
    mounts = the_plan.container.mounts  # type: ignore[attr-defined]
    return str(next(m.value.type for m in mounts if m.value.target == "/workspaces/weather"))


def test_a_copy_is_always_allowed() -> None:
    assert access(planned(NO_FLOOR)) == access(planned(NO_FLOOR, BIND)) == "bind"
    assert access(planned(NO_FLOOR, CLONE)) == "tmpfs"
    assert access(planned(NO_FLOOR, 'profile = "agent"')) == "tmpfs"


def test_a_copy_that_writes_into_the_folder_is_as_the_folder_to_a_policy() -> None:
    text = '[workspace]\nlayout = "synced"'
    assert planned(NO_FLOOR, text).synced is not None  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"the layout `synced`.* demands `clone`"):
        planned(Floor(clone=True), text)
    for profile, match in (
        ("agent", "alone cannot choose a copy that is kept the same"),
        ("review", "has the workspace read-only"),
        ("trusted", "works on the folder itself"),
    ):
        with pytest.raises(UsageError, match=match):
            planned(NO_FLOOR, f'profile = "{profile}"\n{text}', trusted=profile == "trusted")
    assert planned(NO_FLOOR, f'profile = "agent"\n{text}', trusted=True).synced is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("profile", ["agent", "untrusted"])
def test_the_host_s_folder_in_place_of_a_copy_needs_a_grant(profile: str) -> None:
    text = f'profile = "{profile}"\n{BIND}'
    with pytest.raises(UsageError, match="alone cannot choose the host's folder itself") as caught:
        planned(NO_FLOOR, text)
    assert "sandboxd trust add" in caught.value.hint
    assert access(planned(NO_FLOOR, text, trusted=True)) == "bind"
    with pytest.raises(UsageError, match="alone cannot choose"):
        planned(Floor(no_trust=True), text, trusted=True)


def test_a_copy_can_be_demanded_of_every_profile() -> None:
    assert access(planned(Floor(clone=True))) == "tmpfs"
    assert access(planned(Floor(clone=True), 'profile = "review"')) == "bind"
    for text in (BIND, f'profile = "agent"\n{BIND}'):
        with pytest.raises(UsageError, match="demands `clone`"):
            planned(Floor(clone=True), text, trusted=True)


def test_reading_only_has_no_layout() -> None:
    with pytest.raises(UsageError, match="has the workspace read-only"):
        planned(NO_FLOOR, f'profile = "review"\n{CLONE}')


def test_the_demand_is_read_and_nothing_weaker(files: tuple[Path, Path]) -> None:
    files[0].write_text('layout = "clone"\n')
    assert load(files).clone
    files[1].write_text('layout = "bind"\n')
    with pytest.raises(UsageError, match="has `layout = 'bind'`") as caught:
        load(files)
    assert "`clone`" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "hint"),
    [("profle", "did you mean `profiles`?"), ("speed", "it may have `profiles`, ")],
)
def test_the_hint_at_an_unknown_key_is_the_nearest(
    files: tuple[Path, Path], key: str, hint: str
) -> None:
    files[1].write_text(f"{key} = []\n")
    with pytest.raises(UsageError) as caught:
        load(files)
    assert (caught.value.hint or "").startswith(hint)

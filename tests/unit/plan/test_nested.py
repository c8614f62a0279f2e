"""`nested_sandbox` opens calls of bubblewrap by a grant, on a private copy, and says the price."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan import nested, profiles
from sandboxd.plan.floor import loosened
from sandboxd.plan.granting import wanted
from sandboxd.plan.grants import NO_GRANTS, Grants
from sandboxd.plan.plan import Plan
from sandboxd.policy.floor import NO_FLOOR, Demand, Floor
from tests.unit.plan.examples import GVISOR, PLAIN, WORKSPACE, configured, plan_of, workspace

CLONE = '[workspace]\nlayout = "clone"\n'
GRANTED = Grants(allow_runc=True, trusted=True)


def planned(
    head: str = "",
    tables: str = CLONE,
    host: HostFacts = PLAIN,
    grants: Grants = GRANTED,
    floor: Floor = NO_FLOOR,
) -> Plan:
    config = configured(f'image = "img:1"\nnested_sandbox = "calls"\n{head}{tables}')
    return plan_of(config, host, None, workspace(), grants, floor)


def refused(**how: object) -> str:
    with pytest.raises(UsageError) as caught:
        planned(**how)  # type: ignore[arg-type]
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize("profile", ["dev", "agent"])
@pytest.mark.parametrize(("host", "runtime"), [(PLAIN, "runc"), (GVISOR, "runsc")])
def test_the_list_is_that_of_the_profile_and_the_runtime(
    profile: str, host: HostFacts, runtime: str
) -> None:
    plan = planned(f'profile = "{profile}"\n', host=host)
    file = f"{profile}-nested-{runtime}.json"
    assert PurePath(plan.seccomp_path).name == file
    option = plan.container.option("seccomp")
    assert option is not None and nested.is_list(option.value.value)
    off = plan_of(configured('image = "img:1"\n' + CLONE), host, None, workspace(), GRANTED)
    assert not nested.is_list(off.seccomp_path)


def test_what_is_opened_and_its_price_are_said() -> None:
    plan = planned()
    [opened] = [reason for reason in plan.reasons if reason.item == "nested_sandbox"]
    assert (opened.decided_by, opened.why) == ("config", f"opens {nested.CALLS}")
    assert any("/proc" in reason.why for reason in plan.reasons if "bubblewrap" in reason.item)
    [price] = [each for each in plan.downgrades if each.control == "system calls"]
    assert "user namespace on the host's kernel" in price.why


def test_under_gvisor_nothing_of_the_hosts_kernel_is_opened() -> None:
    plan = planned(host=GVISOR)
    [opened] = [reason for reason in plan.reasons if reason.item == "nested_sandbox"]
    assert "nothing is opened on the host's kernel" in opened.why
    assert "system calls" not in {each.control for each in plan.downgrades}
    [unsure] = [each for each in plan.downgrades if each.control == "nested sandbox"]
    assert "runsc 20240729" in unsure.why and "sandboxd exec -- bwrap" in unsure.fix


@pytest.mark.parametrize(("apparmor", "says"), [(True, True), (False, False), (None, False)])
def test_where_apparmor_refuses_mounts_that_is_said(apparmor: bool | None, says: bool) -> None:
    plan = planned(host=PLAIN._replace(apparmor=apparmor))
    assert any(each.control == "nested sandbox" for each in plan.downgrades) is says


def test_a_grant_is_needed_and_names_the_price() -> None:
    assert "sandboxd trust add" in refused(grants=NO_GRANTS)
    assert "sandboxd trust add" in refused(grants=Grants(allow_runc=True))
    config = configured(f'image = "img:1"\nnested_sandbox = "calls"\n{CLONE}')
    profile = profiles.load("dev")
    assert loosened(profile, config) == ("a sandbox inside the sandbox",)
    asked = wanted(WORKSPACE, config, profile, None, NO_FLOOR)
    assert asked.lines[-1] == f"nested sandbox: {nested.PRICE}" and len(asked.grants) == 1


@pytest.mark.parametrize("host", [PLAIN, GVISOR])
def test_the_folder_itself_is_refused_even_with_a_grant(host: HostFacts) -> None:
    assert 'layout = "clone"' in refused(tables="", host=host)
    assert 'layout = "clone"' in refused(
        head='profile = "agent"\n', tables='[workspace]\nlayout = "bind"\n', host=host
    )


@pytest.mark.parametrize("profile", ["review", "untrusted", "trusted", "seed-baseline"])
def test_a_profile_without_lists_for_it_refuses(profile: str) -> None:
    tables = "" if profile == "review" else CLONE
    said = refused(head=f'profile = "{profile}"\n', tables=tables, host=GVISOR)
    assert f"profile `{profile}` does not allow `nested_sandbox`" in said


def test_a_policy_refuses_it_whatever_is_granted() -> None:
    floor = Floor(
        no_nested_sandbox=True, demands=(Demand("nested_sandbox", "off", "/etc/policy.toml"),)
    )
    assert "`/etc/policy.toml` forbids it" in refused(floor=floor)

"""Credentials in a plan: who may choose them, what a grant shows, and what tools inside see."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.config.model import Config
from sandboxd.credentials.name import Name
from sandboxd.errors import UsageError
from sandboxd.plan.floor import loosened
from sandboxd.plan.granting import wanted
from sandboxd.plan.grants import NO_GRANTS, Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.planner import make_network
from sandboxd.plan.profiles import load as load_profile
from sandboxd.plan.project_hosts import NO_HOSTS
from sandboxd.plan.writers.engine import arguments
from sandboxd.policy.floor import NO_FLOOR, Floor
from sandboxd.policy.floor import load as load_floor
from tests.unit.plan.examples import GVISOR, configured, plan_of, workspace

TRUSTED = Grants(trusted=True)
USES = '[credentials]\nuse = ["github"]\n'


def config_of(text: str, profile: str = "agent") -> Config:
    return configured(f'profile = "{profile}"\nimage = "img:1"\n{text}')


def plan(
    text: str = USES, grants: Grants = TRUSTED, floor: Floor = NO_FLOOR, profile: str = "agent"
) -> Plan:
    return plan_of(config_of(text, profile), GVISOR, None, workspace(), grants, floor)


def floor_of(folder: Path, text: str) -> Floor:
    path = folder / "policy.toml"
    path.write_text(text)
    return load_floor({"XDG_CONFIG_HOME": str(folder / "none")}, organisation=str(path))


def words_of(the_plan: Plan) -> str:
    return "\n".join(each.why for each in the_plan.downgrades if each.control == "credentials")


def test_a_repository_alone_uses_nothing_of_the_user() -> None:
    with pytest.raises(UsageError, match="alone cannot use your credentials: `github`") as raised:
        plan(grants=NO_GRANTS)
    assert "sandboxd trust add" in raised.value.hint
    assert loosened(load_profile("agent"), config_of(USES)) == ("credential github",)


def test_a_grant_shows_hosts_methods_paths_and_what_follows() -> None:
    config = config_of('[credentials]\nuse = ["npm"]\nrequired = ["pypi"]\n')._replace(digest="d")
    lines = wanted("/p", config, load_profile("agent"), None, NO_FLOOR).lines
    (npm,) = (line for line in lines if line.startswith("credential: npm: "))
    (pypi,) = (line for line in lines if line.startswith("credential: pypi: "))
    assert "every method; /" in npm and "publishes as you" in npm
    assert "(GET, HEAD; /simple/, /pypi/)" in pypi and "(POST; /legacy/)" in pypi


@pytest.mark.parametrize("text", ["credentials = []", 'credentials = ["npm"]'])
def test_a_floor_forbids_whatever_is_trusted(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="asks for the credential `github`, and"):
        plan(floor=floor_of(tmp_path, text))


def test_a_floor_that_names_it_lets_it_be(tmp_path: Path) -> None:
    floor = floor_of(tmp_path, 'credentials = ["github", "npm"]')
    assert [use.name for use in plan(floor=floor).credentials] == [Name("github")]
    with pytest.raises(UsageError, match="alone cannot"):
        plan(floor=floor, grants=NO_GRANTS)


def test_the_plan_has_names_and_ports_and_the_policy_the_same() -> None:
    the_plan = plan()
    assert the_plan.egress is not None
    (use,) = the_plan.credentials
    assert the_plan.egress.credentials == tuple((d.label, d.port) for d in use.doors)
    network = make_network(
        load_profile("agent"), config_of(USES), None, the_plan.workspace, NO_HOSTS, True, NO_FLOOR
    )
    assert network.policy == the_plan.egress


def test_without_trust_a_running_gateway_gets_no_credential_either() -> None:
    network = make_network(
        load_profile("agent"), config_of(USES), None, "/p", NO_HOSTS, False, NO_FLOOR
    )
    assert network.policy is not None
    assert network.policy.credentials == ()
    assert "cannot use your credentials" in network.problem


def test_tools_see_the_gateway_only_where_there_is_one() -> None:
    the_plan = plan('[credentials]\nuse = ["anthropic"]\n')
    (use,) = the_plan.credentials
    lines = arguments(the_plan)["Env"]
    assert f"ANTHROPIC_BASE_URL=http://gateway.sandboxd.internal:{use.doors[0].port}" in lines
    without = arguments(the_plan._replace(egress=None))["Env"]
    assert not [line for line in without if line.startswith("ANTHROPIC")]
    assert arguments(the_plan)["Labels"] != arguments(plan(""))["Labels"]


def test_git_has_one_count_of_its_settings() -> None:
    lines = arguments(plan())["Env"]
    counts = [line for line in lines if line.startswith("GIT_CONFIG_COUNT=")]
    keys = [line for line in lines if line.startswith("GIT_CONFIG_KEY_")]
    assert counts == [f"GIT_CONFIG_COUNT={len(keys)}"]
    assert sorted(line.split("=")[0] for line in keys) == [
        f"GIT_CONFIG_KEY_{number}" for number in range(len(keys))
    ]
    # gVisor's own setting stays.
    assert "GIT_CONFIG_KEY_0=core.checkStat" in lines


def test_without_a_gateway_it_is_a_downgrade_or_a_refusal() -> None:
    closed = '[network]\nmode = "none"\n'
    the_plan = plan(USES + closed)
    assert the_plan.credentials == ()
    assert "`github` cannot be used: credentials are added by the gateway" in words_of(the_plan)
    with pytest.raises(UsageError, match="cannot be used"):
        plan('[credentials]\nrequired = ["github"]\n' + closed)


def test_what_stands_in_the_way_of_tools_is_said() -> None:
    assert "hosts of the group `github`, which is not allowed" in words_of(plan())
    beside = plan(USES + '[network]\nallow = ["github"]\n')
    assert "which is not allowed" not in words_of(beside)
    own = '[environment]\nGITHUB_API_URL = "https://example.org"\n'
    assert "sandboxd.toml sets `GITHUB_API_URL`" in words_of(plan(USES + own))
    proxy = '[environment]\nno_proxy = "{}"\n'
    assert "sets `no_proxy` without the gateway" in words_of(plan(USES + proxy.format("a.test")))
    for value in ("a.test, gateway.sandboxd.internal", "*"):
        assert "without the gateway" not in words_of(plan(USES + proxy.format(value)))


def test_editors_have_none_and_the_plan_says_so() -> None:
    the_plan = plan('[credentials]\nuse = ["anthropic"]\n')
    (other,) = (each for each in the_plan.downgrades if each.control == "credentials")
    assert other.of_other_tools
    assert "credentials" not in {each.control for each in the_plan.downgrades_of_up()}
    assert not [v for v in the_plan.container.env if v.value.name.startswith("ANTHROPIC")]


def test_explained_are_rights_and_limits() -> None:
    rights, limits = (each for each in plan().reasons if each.field == "credential")
    assert (rights.item, rights.decided_by) == ("github", "config")
    assert "github-git at port 3200, github-api at port 3201" in rights.why
    assert "`gh` is not served" in limits.why

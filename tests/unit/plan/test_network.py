"""The names that a plan lets through: the profile's own, those asked for, and what a floor takes away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress.entries import entry, private_entry
from sandboxd.egress.policy import Policy, decide
from sandboxd.errors import UsageError
from sandboxd.plan.floor import loosened
from sandboxd.plan.granting import wanted
from sandboxd.plan.grants import NO_GRANTS, Grants
from sandboxd.plan.names import covered, usual
from sandboxd.plan.plan import Plan
from sandboxd.plan.planner import make_network
from sandboxd.plan.profiles import load as load_profile
from sandboxd.plan.project_hosts import NO_HOSTS, Mention, ProjectHosts
from sandboxd.policy.floor import NO_FLOOR, Demand, Floor
from sandboxd.policy.floor import load as load_floor
from tests.unit.plan.examples import GVISOR, configured, plan_of, workspace

PYTHON = ProjectHosts(names=("pyproject.toml",))
TRUSTED = Grants(trusted=True)


def plan(
    text: str = "",
    hosts: ProjectHosts = NO_HOSTS,
    floor: Floor = NO_FLOOR,
    grants: Grants = NO_GRANTS,
    profile: str = "dev",
) -> Plan:
    config = configured(f'profile = "{profile}"\nimage = "img:1"\n{text}')
    facts = workspace()._replace(hosts=hosts)
    return plan_of(config, GVISOR, None, facts, grants, floor)


def allows(the_plan: Plan, name: str, port: int = 443) -> bool:
    assert the_plan.egress is not None
    return decide(the_plan.egress, name, port, 0.0).allowed


def sources(the_plan: Plan) -> set[str]:
    assert the_plan.egress is not None
    return {rule.source for rule in the_plan.egress.rules}


def floor_of(folder: Path, text: str) -> Floor:
    path = folder / "policy.toml"
    path.write_text(text)
    return load_floor({"XDG_CONFIG_HOME": str(folder / "none")}, organisation=str(path))


@pytest.mark.parametrize(
    ("hosts", "groups"),
    [
        (ProjectHosts(), set()),
        (PYTHON, {"pypi"}),
        (ProjectHosts(names=("web/package.json", "web/yarn.lock")), {"npm", "yarn"}),
        (ProjectHosts(names=("Cargo.toml", "go.mod", "Gemfile")), {"crates", "go", "rubygems"}),
        (ProjectHosts(names=("App.csproj", "pom.xml")), {"nuget", "maven"}),
        (ProjectHosts(images=("python:3.13-bookworm",)), {"debian"}),
        (ProjectHosts(images=("ubuntu:24.04", "node:22-alpine3.20")), {"ubuntu", "alpine"}),
        (ProjectHosts(remotes=(Mention("github.com", 22, ".git/config"),)), {"github"}),
        (ProjectHosts(names=(".vscode", ".vscode/settings.json")), {"vscode", "vscode-server"}),
        (ProjectHosts(names=(".devcontainer/devcontainer.json",)), {"vscode-server"}),
        # Made to be pinned, so that no such file can be.
        (ProjectHosts(names=(".devcontainer.json", ".vscode")), set()),
        (ProjectHosts(names=(".vscode", "web/settings.json")), set()),
        (ProjectHosts(images=("notdebianish",)), set()),
    ],
)
def test_dev_allows_the_groups_that_the_projects_files_call_for(
    hosts: ProjectHosts, groups: set[str]
) -> None:
    assert sources(plan(hosts=hosts)) == {f"group {name}" for name in groups}


def test_files_that_came_after_the_start_choose_nothing() -> None:
    """A program inside can write them."""
    hosts = ProjectHosts(names=("pyproject.toml", "Cargo.toml"), chosen=("pypi", "gone"))
    the_plan = plan(hosts=hosts)
    assert sources(the_plan) == {"group pypi"}
    (late,) = [r for r in the_plan.reasons if r.field == "egress" and r.item == "not crates"]
    assert late.why == (
        "the project has `Cargo.toml`, and did not when the sandbox started: `sandboxd down`, then `up`"
    )
    with pytest.raises(UsageError, match="alone cannot loosen the network"):
        plan('[network]\nallow = ["pypi", "crates"]', hosts)


def test_the_image_of_the_config_counts_as_well() -> None:
    config = configured('image = "debian:13"')
    assert sources(plan_of(config, GVISOR, None, workspace())) == {"group debian"}


def test_an_agent_gets_no_name_by_files_and_a_canary() -> None:
    the_plan = plan(hosts=PYTHON, profile="agent")
    assert the_plan.egress is not None and the_plan.egress.rules == ()
    (canary,) = the_plan.egress.canaries
    assert decide(the_plan.egress, canary, 443, 0.0).reason == "canary"
    assert plan(hosts=PYTHON, profile="agent").egress == the_plan.egress


def test_a_list_takes_the_place_of_the_profiles_own() -> None:
    assert sources(plan("[network]\nallow = []", PYTHON)) == set()
    tightened = plan('[network]\nallow = ["pypi"]', PYTHON._replace(images=("debian",)))
    assert sources(tightened) == {"group pypi"}


@pytest.mark.parametrize("profile", ["dev", "agent"])
@pytest.mark.parametrize(
    "text", ['allow = ["example.org"]', 'allow = ["anthropic"]', 'private = ["db.corp:5432"]']
)
def test_what_goes_beyond_needs_a_grant(profile: str, text: str) -> None:
    with pytest.raises(UsageError, match="alone cannot loosen the network") as refused:
        plan(f"[network]\n{text}", PYTHON, profile=profile)
    assert "sandboxd trust add" in refused.value.hint
    assert plan(f"[network]\n{text}", PYTHON, profile=profile, grants=TRUSTED).egress is not None


def test_part_of_what_the_profile_has_needs_none() -> None:
    github = ProjectHosts(remotes=(Mention("github.com", 22, ".git/config"),))
    the_plan = plan('[network]\nallow = ["github.com:443"]', github)
    assert allows(the_plan, "github.com", 443) and not allows(the_plan, "github.com", 22)
    with pytest.raises(UsageError, match=r"reach `github\.com`"):
        plan('[network]\nallow = ["github.com"]', github)  # port 80 is not of the group


def test_an_open_network_needs_a_grant_and_ends_the_gateway() -> None:
    with pytest.raises(UsageError, match="network open"):
        plan('[network]\nmode = "open"')
    the_plan = plan('[network]\nmode = "open"', grants=TRUSTED)
    assert the_plan.egress is None
    assert the_plan.container.network is not None and the_plan.container.network.value == "bridge"


def test_what_a_profile_never_has_no_grant_gives() -> None:
    for profile, mode, words in (("review", "allow", "no network"), ("untrusted", "open", "names")):
        with pytest.raises(UsageError, match=words):
            plan(f'[network]\nmode = "{mode}"', profile=profile, grants=TRUSTED)
    granted = plan('[network]\nallow = ["pypi"]', profile="untrusted", grants=TRUSTED)
    assert sources(granted) == {"group pypi"}
    assert granted.container.network is not None and granted.container.network.value == "none"


def test_an_open_profile_is_tightened_by_a_list_without_more_trust() -> None:
    config = configured('profile = "trusted"\nimage = "i:1"\n[network]\nallow = ["example.org"]')
    assert loosened(load_profile("trusted"), config) == ("profile trusted",)
    the_plan = plan('[network]\nallow = ["example.org"]', profile="trusted", grants=TRUSTED)
    assert allows(the_plan, "example.org") and not allows(the_plan, "example.net")


def test_a_list_of_nothing_tightens_an_open_profile_to_nothing() -> None:
    the_plan = plan("[network]\nallow = []", profile="trusted", grants=TRUSTED)
    assert the_plan.egress is not None and the_plan.egress.rules == ()


def test_a_profile_has_names_by_itself_only_where_names_are_what_it_reaches() -> None:
    dev = load_profile("dev")
    for mode, count in (("allow", 1), ("none", 0), ("open", 0)):
        profile = dev._replace(network=dev.network._replace(mode=mode))
        assert len(usual(profile, configured(""), PYTHON)) == count


@pytest.mark.parametrize(
    ("narrow", "wide", "held"),
    [
        ("example.org:443", "example.org", True),
        ("example.org", "example.org:443", False),
        ("a.example.org", "*.example.org", True),
        ("*.example.org", "*.example.org", True),
        ("*.a.example.org", "*.example.org", True),
        ("*.example.org", "example.org", False),
        ("example.org", "*.example.org", False),
        ("github", "github", True),
        ("api.github.com:443", "github", True),
        ("github", "github.com", False),
    ],
)
def test_an_entry_is_held_by_another(narrow: str, wide: str, held: bool) -> None:
    assert covered(entry(narrow), entry(wide).rules("x")) is held


def test_no_entry_without_private_holds_one_with_it() -> None:
    private, public = private_entry("db.example:443"), entry("db.example:443")
    assert not covered(private, public.rules("x"))
    assert covered(private, private.rules("x")) and covered(public, private.rules("x"))


def test_private_rules_and_no_others_reach_private_addresses() -> None:
    text = '[network]\nallow = ["example.org"]\nprivate = ["db.corp:5432", "10.1.2.3:5432"]'
    the_plan = plan(text, grants=TRUSTED)
    assert the_plan.egress is not None
    rules = {str(rule.pattern): rule.private for rule in the_plan.egress.rules}
    assert rules == {"example.org": False, "db.corp": True, "10.1.2.3": True}
    assert allows(the_plan, "10.1.2.3", 5432) and not allows(the_plan, "10.1.2.4", 5432)


def test_hosts_that_files_name_are_proposals_and_never_allowed() -> None:
    hosts = PYTHON._replace(
        remotes=(Mention("git.corp.example", 22, ".git/config"),),
        settings=(Mention("files.example", 443, ".npmrc"),),
    )
    the_plan = plan(hosts=hosts)
    assert sources(the_plan) == {"group pypi"}
    assert [(p.host, p.port, p.file, p.line) for p in the_plan.proposals] == [
        ("git.corp.example", 22, ".git/config", 'allow = ["pypi", "git.corp.example:22"]'),
        ("files.example", 443, ".npmrc", 'allow = ["pypi", "files.example"]'),
    ]
    github = ProjectHosts(remotes=(Mention("github.com", 8443, ".git/config"),))
    (proposal,) = plan(hosts=github).proposals  # the group has other ports
    assert proposal.line == 'allow = ["github", "github.com:8443"]'
    line = the_plan.proposals[1].line
    assert allows(plan(f"[network]\n{line}", hosts, grants=TRUSTED), "files.example")


def test_a_grant_shows_each_name_and_what_it_admits() -> None:
    config = configured(
        'profile = "agent"\n[network]\nallow = ["anthropic"]\nprivate = ["10.0.0.9"]'
    )
    asked = wanted("/w", config._replace(path="x"), load_profile("agent"), None, NO_FLOOR)
    lines = "\n".join(asked.lines)
    assert "name: anthropic (api.anthropic.com:443" in lines and "what is sent" in lines
    assert "10.0.0.9:80,443, also at a private address" in lines
    assert len(asked.lines) == 2  # and nothing of what the profile is stricter in


def test_each_name_has_its_reason() -> None:
    the_plan = plan(hosts=PYTHON)
    (reason,) = [reason for reason in the_plan.reasons if reason.field == "egress"]
    assert reason.item.startswith("pypi (") and reason.decided_by == "profile dev"
    assert "the project has `pyproject.toml`" in reason.why


def test_a_floor_lists_all_that_may_be_reached(tmp_path: Path) -> None:
    floor = floor_of(tmp_path, 'network_allow = ["pypi", "*.corp.example"]')
    for fine in ('allow = ["*.corp.example"]', 'private = ["db.corp.example:443"]'):
        plan(f"[network]\n{fine}", floor=floor, grants=TRUSTED)
    hosts = PYTHON._replace(images=("debian",))
    the_plan = plan(hosts=hosts, floor=floor)
    assert sources(the_plan) == {"group pypi"}
    left_out = [reason for reason in the_plan.reasons if reason.item == "not debian"]
    assert left_out[0].decided_by == "floor" and "policy.toml" in left_out[0].why
    plan('[network]\nallow = ["git.corp.example"]', floor=floor, grants=TRUSTED)
    for text in ('allow = ["example.org"]', 'allow = ["debian"]', 'private = ["10.0.0.1"]'):
        with pytest.raises(UsageError, match=r"policy\.toml` does not allow it"):
            plan(f"[network]\n{text}", floor=floor, grants=TRUSTED)


def test_two_floors_both_hold(tmp_path: Path) -> None:
    (tmp_path / "user/sandboxd").mkdir(parents=True)
    (tmp_path / "user/sandboxd/policy.toml").write_text('network_allow = ["pypi", "npm"]')
    (tmp_path / "organisation.toml").write_text('network_allow = ["npm", "go"]')
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "user")}
    floor = load_floor(environ, organisation=str(tmp_path / "organisation.toml"))
    hosts = ProjectHosts(names=("pyproject.toml", "package.json", "go.mod"))
    assert sources(plan(hosts=hosts, floor=floor)) == {"group npm"}


def test_a_floor_denies_names_whatever_allows_them(tmp_path: Path) -> None:
    floor = floor_of(tmp_path, 'network_deny = ["*.example.org", "github.com"]')
    hosts = ProjectHosts(remotes=(Mention("github.com", 22, ".git/config"),))
    the_plan = plan('[network]\nallow = ["github", "a.example.org"]', hosts, floor, TRUSTED)
    assert the_plan.egress is not None
    for name in ("github.com", "a.example.org"):
        assert decide(the_plan.egress, name, 443, 0.0).reason == "denied"
    assert allows(the_plan, "api.github.com")


def test_each_floor_denies_names(tmp_path: Path) -> None:
    (tmp_path / "user/sandboxd").mkdir(parents=True)
    (tmp_path / "user/sandboxd/policy.toml").write_text('network_deny = ["a.example"]')
    (tmp_path / "organisation.toml").write_text('network_deny = ["b.example"]')
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "user")}
    the_plan = plan(floor=load_floor(environ, organisation=str(tmp_path / "organisation.toml")))
    assert the_plan.egress is not None
    assert {str(pattern) for pattern in the_plan.egress.denied} == {"a.example", "b.example"}


def test_a_floor_forbids_the_open_network_also_where_no_gateway_is_made(tmp_path: Path) -> None:
    floor = floor_of(tmp_path, 'network = "allow"')
    with pytest.raises(UsageError, match=r"policy\.toml` forbids it"):
        plan('[network]\nmode = "open"', floor=floor, grants=TRUSTED)
    for profile in ("dev", "trusted"):
        the_plan = plan(hosts=PYTHON, floor=floor, grants=TRUSTED, profile=profile)
        assert sources(the_plan) == {"group pypi"}
        assert the_plan.container.network is not None and the_plan.container.network.value == "none"
        assert not [d for d in the_plan.downgrades if d.control == "network"]


def test_a_floor_forbids_private_addresses(tmp_path: Path) -> None:
    floor = floor_of(tmp_path, "network_private = false")
    with pytest.raises(UsageError, match=r"`db\.corp:5432`, and `.*policy\.toml`"):
        plan('[network]\nprivate = ["db.corp:5432"]', floor=floor, grants=TRUSTED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('network_allow = "pypi"', "a list of strings"),
        ('network_allow = ["pypy"]', "did you mean `pypi`?"),
        ('network_allow = ["*.com"]', "too wide"),
        ('network_deny = ["a..b"]', "hosts and wildcards"),
        ('network_deny = ["*"]', "hosts and wildcards"),
        ("network_private = true", "`false`"),
        ("network_private = 0", "`false`"),
        ('network = "open"', "`none` or `allow`"),
    ],
)
def test_a_misspelt_demand_stops_everything(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        floor_of(tmp_path, text)
    assert words in f"{refused.value.message} {refused.value.hint}"


_TEXTS = st.sampled_from(
    ["pypi", "npm", "github", "example.org", "*.example.org", "example.org:443", "github.com:22"]
)
_LISTS = st.lists(_TEXTS, max_size=3, unique=True)
_HOSTS = st.builds(
    ProjectHosts,
    names=st.lists(st.sampled_from(["pyproject.toml", "package.json"]), max_size=2).map(tuple),
    remotes=st.lists(st.just(Mention("github.com", 22, ".git/config")), max_size=1).map(tuple),
)


@given(
    st.none() | _LISTS,
    _HOSTS,
    st.lists(_LISTS, max_size=2),
    st.booleans(),
    st.sampled_from(["dev", "agent"]),
)
def test_no_config_reaches_beyond_profile_trust_and_floor(
    wishes: list[str] | None,
    hosts: ProjectHosts,
    floors: list[list[str]],
    trusted: bool,
    profile: str,
) -> None:
    text = f"[network]\nallow = {json.dumps(wishes)}" if wishes is not None else ""
    floor = Floor(
        network_allow=tuple(tuple(map(entry, listed)) for listed in floors),
        demands=tuple(Demand("network_allow", listed, "/floor") for listed in floors),
    )
    own = plan(hosts=hosts, profile=profile).egress
    try:
        the_plan = plan(text, hosts, floor, Grants(trusted=trusted), profile).egress
    except UsageError:
        assert wishes
        return
    assert own is not None and the_plan is not None
    bounds = [
        Policy(rules=tuple(r for e in listed for r in entry(e).rules("x"))) for listed in floors
    ]
    if not trusted:
        bounds.append(own)
    for rule in the_plan.rules:
        name = f"www.{rule.pattern.host}" if rule.pattern.below else rule.pattern.host
        for port in rule.ports:
            assert all(decide(bound, name, port, 0.0).allowed for bound in bounds), (name, port)


@given(_LISTS, _HOSTS, st.sampled_from(["dev", "agent", "untrusted"]))
def test_without_trust_a_running_gateway_gets_what_list_and_profile_both_allow(
    wishes: list[str], hosts: ProjectHosts, profile: str
) -> None:
    text = f"[network]\nallow = {json.dumps(wishes)}\n[credentials]\nuse = ['github']\n"
    loaded = load_profile(profile)
    config = configured(f'profile = "{profile}"\nimage = "img:1"\n{text}')
    network = make_network(loaded, config, None, "/p", hosts, False, NO_FLOOR)
    if network.policy is None:
        assert loaded.network.mode == "none"
        return
    listed = Policy(rules=tuple(r for each in wishes for r in entry(each).rules("x")))
    own = plan(hosts=hosts, profile=profile).egress
    for rule in network.policy.rules:
        name = f"www.{rule.pattern.host}" if rule.pattern.below else rule.pattern.host
        for port in rule.ports:
            assert decide(listed, name, port, 0.0).allowed, (name, port)
            assert own is None or decide(own, name, port, 0.0).allowed, (name, port)

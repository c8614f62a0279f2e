"""The certificates of a company's network in a plan: mounted read-only, and named to each tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import Engine, HostFacts
from sandboxd.plan import network_ca
from sandboxd.plan.network_ca import BUNDLE, FOLDER, JAVA, JAVA_OPTIONS, OWN, VARIABLES, NetworkCa
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers.engine import arguments
from sandboxd.policy import floor
from sandboxd.policy.network_ca import certificates
from sandboxd.project.network_ca import with_files
from tests import certificates as made_certificates
from tests.unit.plan.examples import GVISOR, plan, workspace

FILES = NetworkCa("/state/1/bundle.pem", "/state/2/own.pem", "/state/3/java.jks")


def variables(made: Plan) -> dict[str, str]:
    return {value.value.name: value.value.value for value in made.container.env}


def test_the_files_are_mounted_read_only_and_named_to_the_tools() -> None:
    made = plan(workspace=workspace(network_ca=FILES))
    mounts = {value.value.target: value.value for value in made.container.mounts}
    for source, target in zip(FILES, (BUNDLE, OWN, JAVA), strict=True):
        assert mounts[target].source == source and mounts[target].read_only
    assert VARIABLES.items() <= variables(made).items()
    reasons = [each for each in made.reasons if FOLDER in each.item or each.item in VARIABLES]
    assert {each.decided_by for each in reasons} == {"floor"}
    assert len(reasons) == 3 + len(VARIABLES)
    without = plan()
    assert not any(FOLDER in text for text in arguments(without)["Env"])


def test_what_the_project_sets_itself_stays_and_its_options_for_java_come_last() -> None:
    text = f'[environment]\nPIP_CERT = "/own.pem"\n{JAVA_OPTIONS} = "-Xmx1g"\n'
    made = plan(text, workspace=workspace(network_ca=FILES))
    given = variables(made)
    assert given["PIP_CERT"] == "/own.pem"
    assert given[JAVA_OPTIONS] == f"{VARIABLES[JAVA_OPTIONS]} -Xmx1g"
    assert ("not PIP_CERT", "config") in [(each.item, each.decided_by) for each in made.reasons]


def test_without_them_the_variables_are_those_of_the_project() -> None:
    text = f'[environment]\nPIP_CERT = "/own.pem"\n{JAVA_OPTIONS} = "-Xmx1g"\n'
    for own in ("", text):
        body = arguments(plan(own, workspace=workspace(network_ca=FILES)))
        assert any(FOLDER in line for line in body["Env"])
        assert sorted(network_ca.without(body["Env"])) == sorted(arguments(plan(own))["Env"])


@pytest.fixture
def policy(tmp_path: Path) -> dict[str, str]:
    """The environment of a user whose machine trusts one authority, and whose policy names another."""
    for name in ("machine", "corp"):
        made_certificates.self_signed(tmp_path, name, key=f"{name}.key", certificate=f"{name}.pem")
    (tmp_path / "sandboxd").mkdir()
    (tmp_path / "sandboxd/policy.toml").write_text(f'network_ca = "{tmp_path}/corp.pem"\n')
    return {
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "SSL_CERT_FILE": str(tmp_path / "machine.pem"),
    }


def test_the_files_hold_what_their_readers_expect(policy: dict[str, str], tmp_path: Path) -> None:
    demands = floor.load(policy)
    facts, missing = with_files(workspace(), GVISOR, demands, policy)
    assert missing == () and facts.network_ca is not None
    both = certificates([str(tmp_path / "machine.pem"), str(tmp_path / "corp.pem")])
    assert certificates([facts.network_ca.bundle]) == both
    assert certificates([facts.network_ca.own]) == both[1:]
    assert Path(facts.network_ca.java).read_bytes().startswith(bytes.fromhex("feedfeed"))
    assert with_files(workspace(), GVISOR, demands, policy)[0] == facts
    (tmp_path / "corp.pem").write_text((tmp_path / "machine.pem").read_text())
    changed, _ = with_files(workspace(), GVISOR, demands, policy)
    assert changed.network_ca is not None
    assert changed.network_ca.digest() != facts.network_ca.digest(), "it is another plan"
    assert certificates([facts.network_ca.bundle]) == both, "what is mounted stays as it is"


def test_certificates_that_the_sandbox_could_write_are_refused(
    policy: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws/ca.pem").write_text((tmp_path / "corp.pem").read_text())
    (tmp_path / "ws/link.pem").symlink_to(tmp_path / "corp.pem")
    (tmp_path / "to-it.pem").symlink_to(tmp_path / "ws/ca.pem")
    facts = workspace(path=str(tmp_path / "ws"))
    for name in ("ws/ca.pem", "ws/link.pem", "to-it.pem"):
        demands = floor.Floor(network_ca=(str(tmp_path / name),))
        with pytest.raises(UsageError, match="lie in the workspace"):
            with_files(facts, GVISOR, demands, policy)
    with_files(facts, GVISOR, floor.load(policy), policy)


def test_on_a_cluster_the_plan_says_that_they_stay_here(policy: dict[str, str]) -> None:
    host = HostFacts("Linux", engine=Engine("kubernetes", kind="kubernetes"))
    facts, (missing,) = with_files(workspace(), host, floor.load(policy), policy)
    assert facts.network_ca is None
    assert missing.control == "certificates"

"""The certificates of a company's network in a plan: mounted read-only, and named to each tool."""

from __future__ import annotations

from sandboxd.plan import network_ca
from sandboxd.plan.network_ca import BUNDLE, FOLDER, JAVA, JAVA_OPTIONS, OWN, VARIABLES, NetworkCa
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers.engine import arguments
from tests.unit.plan.examples import plan, workspace

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

"""Whoever gives a sandbox anything takes it from the one function that says what it may have.

Names, secrets, keys, logins and ports were once given in eight places, each of which read for itself what counts. Each of
them is a row here: it asks for `Rights`, or it is not one of those that give.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[2] / "sandboxd"
CALLERS = {
    # Only the pure function makes what a gateway takes, and only one reader calls that function.
    "GatewayRights": {"policy/rights", "policy/gateway_rights"},
    "sandboxd.policy.rights.rights": {"project/rights"},
    "sandboxd.egress.approvals.effective": {"policy/rights"},
    # Who asks what a sandbox may have: of one that runs, of one that starts, of one without a project, for a screen.
    "sandboxd.project.rights.rights_by": {"operations/_present_rights"},
    "sandboxd.project.rights.rights_of_unread": {"operations/_present_rights"},
    "sandboxd.project.rights.rights_now": {
        "operations/_present_rights", "operations/local_rights", "operations/egress/_project",
    },
    "sandboxd.project.rights.rights_of_plan": {
        "operations/start", "operations/on_cluster/_names", "bench/candidates", "cli/setup_verify",
    },
    "sandboxd.project.rights.rights_of_program": {"operations/_program"},
    "sandboxd.project.rights.rights_of_policy": {"status/names_now"},
    "KeyRights": {"policy/rights"},
    "PortRights": {"policy/rights"},
    # Only its loop serves keys to a sandbox, and opens ports; the filter takes none but `KeyRights`.
    "sandboxd.daemon.forwards.Forwards": {"daemon/local_rights"},
    "sandboxd.daemon.ssh_agents.SshAgent": {"daemon/local_rights"},
    "sandboxd.daemon.ssh_agent_server.Server": {"daemon/ssh_agents"},
    "sandboxd.credentials.ssh_agent.filter.Filter": {"daemon/ssh_agent_server"},
    # A command of the user's own opens what it names; of the config's ports, those that may be open.
    "Forwarder": {"daemon/forwards", "operations/forward"},
    # Secrets are read at a start, and sent once more to a gateway that was made anew. A door to one is in `GatewayRights`.
    "sandboxd.credentials.resolve.resolve": {"operations/_credentials"},
    "_credentials.resolve": {"operations/start", "operations/on_cluster/_secrets"},
    "running_gateway.push_credentials": {"daemon/attendant"},
    # One place reads the answers, and one the login.
    "approvals.of_project": {
        "project/rights", "operations/egress/rules", "operations/egress/promote", "operations/egress/deny",
    },
    "proxy_credentials.read": {"project/rights"},
    # The loop gives to a gateway that runs; a start makes one. The other two are the gateway's own program.
    "gateway.push": {"operations/gateway", "life/egress"},
    "gateway.start": {"life/egress", "egress/gateway/main", "egress/gateway/pod"},
    "egress.prepare": {"life/up_down", "life/program_volume", "operations/gateway_start"},
    # On a cluster it is an object.
    "kubernetes.of_policy": {"operations/on_cluster/_gateway"},
    # One place takes back, records and gives, in this order, for whoever holds a part: a gateway, a Pod, the daemon.
    "reconcile": {"operations/rights_steps"},
    "rights_steps.bring": {
        "operations/gateway", "operations/local_rights", "operations/on_cluster/_gateway",
    },
}  # fmt: skip
"""Functions that give, or say what may be given, with the modules that may call them."""


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
    return ""


def uses(tree: ast.Module) -> Iterator[str]:
    """The functions that are called, and what is imported by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield name_of(node)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.fixture(scope="module")
def callers() -> dict[str, set[str]]:
    callers: dict[str, set[str]] = {each: set() for each in CALLERS}
    last_words = {each.rpartition(".")[2] for each in CALLERS}
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if not any(word in text for word in last_words):
            continue
        for name in uses(ast.parse(text)):
            if name in callers:
                callers[name].add(path.relative_to(PACKAGE).with_suffix("").as_posix())
    return callers


@pytest.mark.parametrize("function", CALLERS)
def test_a_giver_has_the_callers_that_the_plan_of_the_house_gives_it(
    function: str, callers: dict[str, set[str]]
) -> None:
    assert callers[function] == CALLERS[function]

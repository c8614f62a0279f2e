"""The network of the sandbox that fetches an agent's program: only the package registry, if the policy minimum allows
it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.agents.agent import REGISTRY
from sandboxd.egress.entries import Entry
from sandboxd.egress.group import load as load_group
from sandboxd.egress.policy import Policy
from sandboxd.errors import UsageError
from sandboxd.plan.names import Usual
from sandboxd.plan.network_limits import permitted
from sandboxd.policy.in_force import in_force
from sandboxd.project.rights import rights_of_program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.agents.agent import Agent
    from sandboxd.policy.gateway_rights import GatewayRights


def network(agent: Agent, environ: Mapping[str, str], folder: str) -> tuple[GatewayRights, str]:
    """What the gateway of that sandbox lets through, and the gateway image that the user's policy names ('' for none).

    :param folder: the folder that takes the place of a project's
    :raises UsageError: the policy minimum forbids the registry, or cannot be read
    """
    demands = in_force(environ)
    own, _ = permitted((Usual(Entry(REGISTRY, group=REGISTRY), "to install"),), demands)
    rules = load_group(REGISTRY).rules()
    denied = any(each.covers(rule.pattern) for rule in rules for each in demands.network_deny)
    if demands.no_network or denied or not own:
        key = "network" if demands.no_network else "network_deny" if denied else "network_allow"
        raise UsageError(
            f"`{agent.title}` comes from `{rules[0].pattern}`, which `{demands.path_of(key)}` keeps away",
            "name an image that has it, and an agent of your own without packages",
        )
    policy = Policy(rules=rules, denied=demands.network_deny, upstream=demands.network_proxy)
    rights = rights_of_program(policy, folder, environ, time.time())
    assert rights.gateway is not None
    return rights.gateway, demands.gateway_image

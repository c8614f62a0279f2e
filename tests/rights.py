"""What a gateway may let through, for tests that say it by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.egress.approvals import Limits
from sandboxd.life import gateway, networks
from sandboxd.policy.gateway_rights import GatewayRights
from sandboxd.policy.rights import (
    Asked,
    CredentialRight,
    Login,
    Recorded,
    Target,
    rights,
)

if TYPE_CHECKING:
    from sandboxd.egress.policy import Policy
    from sandboxd.engine.client import Engine


def allowing(policy: Policy) -> GatewayRights:
    """All of `policy`, as the one function gives it."""
    login = Login(policy.upstream.credentials if policy.upstream is not None else "")
    every = CredentialRight("every", policy.credentials)
    whole = rights(
        Target("/w", "c"), Asked("allow", policy), Limits(), (), Recorded((every,)), login, 0.0
    ).gateway
    assert whole is not None
    return whole


def push(engine: Engine, workspace: str, policy: Policy) -> None:
    """Have the running gateway of `workspace` enforce `policy`, and cut the rest."""
    pair = networks.pair_of(engine, workspace)
    assert pair is not None
    whole = gateway.complete(engine, pair, allowing(policy))
    gateway.push(engine, workspace, whole, cut=True)

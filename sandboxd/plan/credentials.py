"""The credentials of a plan: who may choose them, and the gateway's ports for the services that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.credentials import uses as credential_uses
from sandboxd.credentials.uses import Use
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.egress.policy import Policy
    from sandboxd.plan.notes import Notes
    from sandboxd.policy.floor import Floor

FIELD = "credential"
"""The `field` of a reason that is about a credential, not about the container."""


def refuse(config: Config, floor: Floor, trusted: bool, how_to_grant: str) -> None:
    """Refuse a credential that the policy minimum forbids, or for which the user's grant is missing.

    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: there is one
    """
    names = config.credentials.names()
    for name in names:
        if floor.credentials is not None and name.service not in floor.credentials:
            raise UsageError(
                f"sandboxd.toml asks for the credential `{name}`, and "
                f"`{floor.path_of('credentials')}` does not allow it",
                "take it out of `[credentials] use` in sandboxd.toml",
            )
    if names and not trusted:
        listed = ", ".join(f"`{name}`" for name in names)
        raise UsageError(f"sandboxd.toml alone cannot use your credentials: {listed}", how_to_grant)


def rights(config: Config) -> list[str]:
    """Lines that say what a grant for `config` lets programs inside do with the user's credentials."""
    return [
        f"{use.name}: {use.rights()}; {use.service.admits}"
        for use in credential_uses.assign(config.credentials.names(), ())
    ]


def with_uses(policy: Policy | None, uses: tuple[Use, ...]) -> Policy | None:
    """`policy` with the services and ports of `uses`; None stays None. Secrets are sent to the gateway separately."""
    if policy is None:
        return None
    doors = [(door.label, door.port) for use in uses for door in use.doors]
    return policy._replace(credentials=tuple(doors))


def plan_uses(
    config: Config, policy: Policy | None, workspace: str, notes: Notes
) -> tuple[Use, ...]:
    """The credentials that a sandbox with the gateway of `policy` uses; without a gateway none, which is noted.

    :raises UsageError: a credential is required, and there is no gateway
    """
    names = config.credentials.names()
    required = {setting.value for setting in config.credentials.required}
    if not names:
        return ()
    listed = ", ".join(f"`{name}`" for name in names)
    hint = 'set `[network] mode = "allow"` in sandboxd.toml'
    if policy is None:
        why = "credentials are added by the gateway, and this network has none"
        if required:
            raise UsageError(f"{listed} cannot be used: {why}", hint)
        notes.downgrade(ControlName.CREDENTIALS, f"{listed} cannot be used: {why}", hint)
        return ()
    reserved = {port for rule in policy.rules for port in rule.ports}
    planned = credential_uses.assign(names, required, reserved)
    for use in planned:
        ports = ", ".join(f"{door.label} at port {door.port}" for door in use.doors)
        way = f"By the gateway: {ports}" if ports else "Your agent signs; the daemon passes it on"
        why = f"{use.rights()}; {use.service.admits}. {way}"
        notes.reason(FIELD, str(use.name), why, "config")
        notes.reason(FIELD, str(use.name), f"what is not served: {use.service.limits}")
    _say_groups(planned, policy, notes)
    _say_variables(planned, config, workspace, notes)
    notes.downgrade(
        ControlName.CREDENTIALS,
        f"{listed}: not where an editor or the dev container CLI starts the sandbox: its gateway has no secrets",
        "start it with `sandboxd up`",
        of_other_tools=True,
    )
    return planned


def _say_groups(planned: tuple[Use, ...], policy: Policy, notes: Notes) -> None:
    """Name groups of hosts that a service's tools reach without the secret, where nothing allows them."""
    sources = {rule.source for rule in policy.rules}
    for use in planned:
        for group in use.service.groups:
            if f"group {group}" not in sources:
                notes.downgrade(
                    ControlName.CREDENTIALS,
                    f"`{use.name}`: its tools also fetch from hosts of the group `{group}`, which is not allowed",
                    f'`allow = ["{group}"]` below `[network]`, if the work needs them',
                )


def _say_variables(planned: tuple[Use, ...], config: Config, workspace: str, notes: Notes) -> None:
    """Name a variable of the project's own that makes tools bypass the gateway."""
    own = {setting.value[0] for setting in config.environment}
    _say_no_proxy(planned, config, notes)
    for use in planned:
        lines = credential_uses.environment([use], workspace)
        obstacles = sorted(own & {line.partition("=")[0] for line in lines})
        if obstacles:
            notes.downgrade(
                ControlName.CREDENTIALS,
                f"`{use.name}`: sandboxd.toml sets `{obstacles[0]}`, so tools that read it do not use the gateway",
                f"take `{obstacles[0]}` out of `[environment]`",
            )


def _say_no_proxy(planned: tuple[Use, ...], config: Config, notes: Notes) -> None:
    """Name a `NO_PROXY` of the project's own that makes tools send requests for the gateway to the proxy."""
    for setting in config.environment:
        name, value = setting.value
        names = {each.strip() for each in value.split(",")}
        if name.upper() == "NO_PROXY" and not names & {GATEWAY_NAME, "*"} and planned:
            notes.downgrade(
                ControlName.CREDENTIALS,
                f"sandboxd.toml sets `{name}` without the gateway, so tools ask the proxy for it, which refuses",
                f"add `{GATEWAY_NAME}` to `{name}` in `[environment]`",
            )

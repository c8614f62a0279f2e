"""The network of a plan: its mode, and the names that a gateway lets through.

Not every tool that starts a sandbox makes a gateway: `Plan.container` has the network for those that
make none, `Plan.egress` the policy for `sandboxd up`, which makes one.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.config.model import Config
from sandboxd.egress.policy import Policy
from sandboxd.errors import UsageError
from sandboxd.findings import Place
from sandboxd.model.container import Container
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.volumes import project_digest


class Mode(NamedTuple):
    """``none``, ``allow`` or ``open``, and who decided so."""

    value: str
    why: str
    decided_by: str = ""
    """'' for the profile."""
    place: Place | None = None


def mode(profile: Profile, config: Config, base: Container | None) -> Mode:
    """The mode that holds: the strictest of what the profile, the config and the hand-written one say.

    :raises UsageError: the profile has no network, and the config asks for one
    """
    asked = config.network
    if profile.network.mode == "none":
        if asked is not None and asked.value != "none":
            raise UsageError(
                f"profile `{profile.name}` has no network, and sandboxd.toml asks for `{asked.value}`",
                "take `[network] mode` out of sandboxd.toml, or choose another profile",
            )
        return Mode("none", "no egress proxy limits where data may go")
    if asked is not None and asked.value == "none":
        return Mode("none", "asked for", "config", asked.place)
    if base is not None and base.network is not None and base.network.value == "none":
        return Mode("none", "from your config", "config", base.network.place)
    return Mode(profile.network.mode, "a network namespace of its own on the engine's bridge")


def without_gateway(profile: Profile, chosen: Mode, notes: Notes) -> Value[str]:
    """The container's network where nothing makes a gateway for it."""
    value, why = chosen.value, chosen.why
    if value == "allow":
        value = profile.network.without_gateway
        if value == "none":
            why = "no egress proxy limits where data may go"
    name = "bridge" if value == "open" else "none"
    return notes.value("network", name, name, why, chosen.decided_by, chosen.place)


def policy(profile: Profile, chosen: Mode, workspace: str) -> Policy | None:
    """What a gateway lets through; None where no gateway is wanted.

    The version, addresses, services and the host's networks are whoever starts the gateway's to add.
    """
    if chosen.value != "allow":
        return None
    return Policy(canaries=(canary(workspace),) if profile.network.canary else ())


def canary(workspace: str) -> str:
    """A name for `workspace` that nothing has a reason to ask for; `.internal` is nobody's in public DNS."""
    return f"backup-{project_digest(workspace)}.internal"


def say_what_stays_open(chosen: Mode, container: Container, notes: Notes) -> None:
    """Name the open network of a container as a downgrade."""
    if container.network is None or container.network.value == "none":
        return
    if chosen.value == "allow":
        notes.downgrade(
            "network",
            "open where an editor or the dev container CLI starts the sandbox: the host's own services, "
            "link-local addresses and DNS can be reached; `sandboxd up` lets only the allowed names through",
            'start it with `sandboxd up`, or set `[network] mode = "none"` in sandboxd.toml',
        )
        return
    notes.downgrade(
        "network",
        "open: the host's own services, link-local addresses and DNS can be reached",
        'set `[network] mode = "none"` in sandboxd.toml if the work needs no network',
    )

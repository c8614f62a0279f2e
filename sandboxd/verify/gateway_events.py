"""What the events of a gateway say about attempts to get out by the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.egress.messages import Event

DENIED_DOORS: dict[str, tuple[str, ...]] = {
    "dns-denied-name": ("dns",),
    "proxy-denied-name": ("http", "connect"),
    "socks-denied-name": ("socks",),
}
"""Attempts on a name that no rule allows, each with the listeners of the gateway that it tries."""
# A name with one of these reasons got past the policy: it was looked up or dialled.
TRIED = ("address", "unresolved", "unreachable", "sni", "host")


def is_past_policy(event: Event, name: str, doors: tuple[str, ...]) -> bool:
    """Whether the event shows that the gateway looked up `name` or connected to it, through one of the listeners
    `doors`.
    """
    if event["event"] == "assigned":
        return event["name"] == name and "dns" in doors
    if event["event"] not in ("denied", "reached"):
        return False
    return (
        event["name"] == name
        and event["door"] in doors
        and (event["event"] == "reached" or event["reason"] in TRIED)
    )


def is_recorded(event: Event, name: str, doors: tuple[str, ...]) -> bool:
    """Whether the event shows that `name` was denied or reached through one of the listeners `doors`."""
    return (
        event["event"] in ("denied", "reached") and event["name"] == name and event["door"] in doors
    )

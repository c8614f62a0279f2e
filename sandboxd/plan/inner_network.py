"""The inner network of a sandbox, as files for other tools name it. Pure.

Editors and the dev container CLI start a container from a file that names the network and the gateway's address on it.
If the network does not exist, the engine refuses to start the container; if the gateway does not run, nothing can be
reached.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from sandboxd.egress import layout
from sandboxd.egress.policy import Rule
from sandboxd.model.container import Container, Mount, Pair
from sandboxd.model.labels import EGRESS, RESOLV_CONF
from sandboxd.model.values import Origin, Value
from sandboxd.plan.carry import GENERATED_FOLDER

T = TypeVar("T")

RESOLV_FILE = f"{GENERATED_FOLDER}/resolv.conf"
"""A generated resolv.conf, needed because the engine's own name server at 127.0.0.11 does not work under gVisor."""

NPM_NO_PROXY = "npm_config_noproxy"
_NPM_GROUPS = frozenset(["group npm", "group yarn", "group jsr"])
_NO_PROXY = f"localhost,127.0.0.1,::1,{layout.GATEWAY_NAME}"


class InnerNetwork(NamedTuple):
    """The name of a network, and the gateway's IP address on it."""

    name: str
    gateway: str


def inner_network(name: str, subnet: str) -> InnerNetwork:
    """The inner network `name` with the subnet `subnet`.

    :raises ValueError: the subnet is not valid, or its size is not `layout.PREFIX`
    """
    return InnerNetwork(name, layout.inner_addresses(subnet).gateway)


def join(container: Container, inner: InnerNetwork, workspace: str) -> Container:
    """`container` connected to `inner`, for a tool that creates neither the network nor the gateway.

    A container has no field for the name server: see `flags`.
    """
    resolv = Mount("bind", posixpath.join(workspace, RESOLV_FILE), RESOLV_CONF, read_only=True)
    names = [value.value.name for value in container.env]
    return container._replace(
        network=_value("network", inner.name),
        mounts=(*container.mounts, _value("mounts", resolv, RESOLV_CONF)),
        env=(
            *container.env,
            *(_value("env", pair, pair.name) for pair in proxies(inner.gateway, names)),
        ),
        labels=(*container.labels, _value("labels", Pair(EGRESS, inner.name), EGRESS)),
    )


def flags(inner: InnerNetwork) -> tuple[str, ...]:
    """The flags of `docker run` that make the gateway the only name server.

    Without them the host's search domains would be used inside.
    """
    return (f"--dns={inner.gateway}", "--dns-search=.")


def resolv_conf(gateway: str) -> str:
    """The text of a resolv.conf that names the gateway as the only name server."""
    return f"nameserver {gateway}\noptions timeout:2 attempts:2\n"


def proxies(gateway: str, names: Iterable[str]) -> tuple[Pair, ...]:
    """Variables that make programs use the gateway's proxy, which gives clearer errors than a failed name lookup.

    `ALL_PROXY` is the HTTP proxy as well, since clients without SOCKS fail on another scheme.

    :param names: names of variables that exist already and are not set
    """
    present = set(names)
    proxy = f"http://{gateway}:{layout.PROXY_PORT}"
    values = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy, "NO_PROXY": _NO_PROXY}
    return tuple(
        Pair(spelling, value)
        for name, value in values.items()
        for spelling in (name, name.lower())
        if spelling not in present
    )


def npm_by_name(rules: Iterable[Rule], names: Iterable[str]) -> tuple[Pair, ...]:
    """The variable with which npm connects to its registries directly and not through the proxy; () if it is not set.

    Through a proxy npm 9, which Debian 13 has, makes two connections for each package; directly it keeps 15 connections
    open. The variable supports no wildcard. npm 10 and later keep 15 either way.

    :param rules: the rules of the gateway
    :param names: names of variables that exist already: if the project sets its own proxy exceptions, nothing is set
    """
    hosts = [
        rule.pattern.host for rule in rules if rule.source in _NPM_GROUPS and not rule.pattern.below
    ]
    if not hosts or {"no_proxy", NPM_NO_PROXY} & {name.lower() for name in names}:
        return ()
    return (Pair(NPM_NO_PROXY, ",".join(dict.fromkeys((_NO_PROXY, *hosts)))),)


def _value(field: str, value: T, written: str = "") -> Value[T]:
    return Value(value, Origin("plan", "network", field), None, written or str(value))

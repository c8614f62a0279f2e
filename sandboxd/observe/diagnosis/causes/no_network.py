"""A sandbox without a network, and what no gateway passes on: datagrams, ping, addresses without a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# getaddrinfo(3) of glibc and of musl, its codes as Node.js shows them, and what curl and busybox make of them.
_NOT_RESOLVED = re.compile(
    r"Could not resolve host|Temporary failure in name resolution|Name or service not known|bad address '"
    r"|\bEAI_AGAIN\b|\bENOTFOUND\b|no servers could be reached|Name does not resolve"
)
_NO_ROUTE = re.compile(r"Network is unreachable|network unreachable|\bENETUNREACH\b", re.I)
_ALLOW = '`[network] allow = ["NAME"]` in sandboxd.toml, then `sandboxd trust add`'
_COST = "the sandbox can send what it has to that name"


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the words are those of a missing network, and the sandbox has none or a gateway alone."""
    decided_by = sandbox.decided_by("network")
    hit = find_line(failure, _NOT_RESOLVED) or find_line(failure, _NO_ROUTE)
    if hit is None:
        return
    if sandbox.network == "none":
        because = f"the sandbox has no network: `{hit[0]}`"
        yield Answer("network", because, decided_by, _ALLOW, _COST, is_certain=True)
    elif sandbox.network == "allow" and not sandbox.attempts and _NO_ROUTE.search(hit[0]):
        because = (
            "only TCP connections to allowed names leave the sandbox, through its gateway: no datagrams, no ping, "
            "and no address without a name"
        )
        change = "`private` of `[network]` in sandboxd.toml allows single private addresses"
        yield Answer("network", because, decided_by, change, "", is_certain=True)

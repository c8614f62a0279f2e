"""Carry data out by DNS: the engine's resolver forwards each name to the host's, and that to the world.

One name that does not exist is asked for. An answer from beyond the resolver shows the way out. Behind a
gateway every other server is asked: the engine's own stub, and whatever listens at the host's addresses.
"""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.inside.escapes import _doors, _network
from sandboxd.inside.escapes._kernel import NotApplicable, read_text

TITLE = "send data out by DNS"
JUDGE = "open"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "no resolver, no route", "runsc": "no resolver, no route"}
DECLARED = _network.OPEN

_ENGINES = "127.0.0.11"
_ANSWERED = (0, 3)  # no error, no such name: somebody who knows has said so


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError(errno.ENETUNREACH, "no server is reached")
    for server in _servers(facts):
        try:
            answer = _doors.ask(server, _doors.query(facts["unknown"]))
        except OSError as error:
            last = error
            continue
        code = answer[3] & 15
        if code in _ANSWERED:
            return {"detail": f"{server} resolves names of the outside", "server": server}
        last = OSError(f"the resolver forwards nothing (answer {code})")
    raise last


def _servers(facts: dict[str, Any]) -> list[str]:
    """:raises NotApplicable: there is none"""
    servers = []
    for line in read_text("/etc/resolv.conf").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and ":" not in words[1]:
            servers.append(words[1])
    if facts["gateway"]:
        others = [server for server in servers if server != facts["gateway"]]
        return list(dict.fromkeys([*others, *facts["host_addresses"][:3], _ENGINES]))
    if not servers:
        raise NotApplicable("no resolver is configured")
    return servers[:1]

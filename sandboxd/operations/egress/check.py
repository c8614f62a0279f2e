"""Whether the gateway would let a name through, and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.operations.egress import _by_credential, _project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.policy import Policy


class Checked(NamedTuple):
    """The gateway's verdict about a name. `name` is as the user typed it."""

    workspace: str
    name: str
    port: int
    allowed: bool
    reason: str
    """An `egress.policy.Reason`."""
    words: str
    rule: str
    """The pattern of the rule that decided; '' if none did."""
    source: str
    until: float
    """When the verdict ends, in seconds since 1970; 0 if it does not end."""
    command: str
    """The command that would allow the name; '' if none would, or if a credential gives access to it."""
    credential: str
    """The credential without which no request to the name is let through; '' if there is none, or a rule allows it
    anyway.
    """


def check(
    directory: str,
    environ: Mapping[str, str],
    text: str,
    *,
    sandbox: str = "",
    policy: Policy | None = None,
) -> Checked:
    """The gateway's verdict about `NAME` or `NAME:PORT` in the project that `directory` lies in.

    The address to which the name resolves is not checked: the gateway does that when it connects.

    :param sandbox: the name of the sandbox; '' for the unnamed one
    :param policy: the policy to judge by, such as that of a running gateway; None: the one that a gateway would get now
    :raises UsageError: the port is not valid, or the project has no gateway
    """
    from sandboxd.egress import words
    from sandboxd.egress.policy import decide

    now = time.time()
    project = _project.open_project(directory, environ, now, sandbox)
    name, port = _split(text)
    policy = policy or project.policy
    verdict = decide(policy, name, port, now)
    rule = verdict.rule
    sentence = words.verdict(verdict, policy, name)
    by_credential = None
    # As the gateway has it: a denial and a tripwire win over a credential.
    if verdict.reason in ("no-rule", "port", "expired"):
        by_credential = _by_credential.find(project.config, policy, name, port)
    if by_credential is not None:
        sentence += (
            f"; the gateway reaches it with the credential `{by_credential.credential}`"
            f" ({by_credential.requests}), and nothing else does"
        )
    return Checked(
        project.workspace,
        name,
        port,
        verdict.allowed,
        verdict.reason,
        sentence,
        str(rule.pattern) if rule is not None else "",
        rule.source if rule is not None else "",
        rule.until if rule is not None else 0.0,
        "" if by_credential is not None else words.command(name, port, verdict.reason),
        by_credential.credential if by_credential is not None else "",
    )


def _split(text: str) -> tuple[str, int]:
    """Name and port of `text`, by default that of HTTPS. Text that is no name stays: the gateway judges it, too.

    :raises UsageError: the port is none
    """
    from sandboxd.egress.ports import HIGHEST_PORT, port_number
    from sandboxd.egress.words import USUAL_PORTS

    name, colon, port = text.rpartition(":")
    if not colon or ":" in name:
        return text, USUAL_PORTS[-1]
    number = port_number(port)
    if number is None:
        raise UsageError(f"`{port}` is no port", f"`{name}:443`, a number from 1 to {HIGHEST_PORT}")
    return name, number

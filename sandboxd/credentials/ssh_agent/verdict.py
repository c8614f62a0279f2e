"""Decides whether a login is signed. Pure: the client's claims and the agent's findings are arguments.

A signature is for one session, or for one session with one host. The second kind states itself where it can be used.
For the first kind this is only known from the host's own signature of the session's id, which the client presents
(`session-bind`) and the user's agent verifies.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.choice import Choice
from sandboxd.credentials.ssh_agent.wire import Bind, Login


class Session(NamedTuple):
    """The host with which a client claims to have its session."""

    claim: Bind
    is_verified: bool
    """Whether the user's agent verified the host's signature."""


class Verdict(NamedTuple):
    """The decision about a login.

    `why` is '' if it is signed, otherwise the reason why not; `host` is the name of the chosen host, or the fingerprint
    of an unknown host's key, or ''; `key` is the fingerprint of the user's key, or ''.
    """

    why: str
    host: str = ""
    key: str = ""


def judge(choice: Choice, session: Session | None, login: Login | None) -> Verdict:
    """Whether to sign `login` for a client that named `session`.

    :param session: None if the client named none
    :param login: None if the request is for something else than a login
    """
    if login is None:
        return Verdict("it is no login: nothing else is signed")
    key = wire.fingerprint(login.key)
    if key not in choice.keys:
        return Verdict("the key is none of those that were chosen", key=key)
    if session is None:
        return Verdict(
            "the client does not say which host it is for: OpenSSH does from 8.9 on", key=key
        )
    claim = session.claim
    host = choice.host_of(claim.host_key)
    name = host or wire.fingerprint(claim.host_key)
    if claim.is_forwarding:
        return Verdict("it comes by another host, to which the agent was forwarded", name, key)
    if host is None:
        return Verdict("the host is none of those that the key is bound to", name, key)
    if login.session != claim.session:
        return Verdict("it is for another session than the one that was named", name, key)
    if login.host_key is None and not session.is_verified:
        why = (
            "nobody verified which host it is for: the server is old, and your agent does not look"
        )
        return Verdict(why, name, key)
    if login.host_key not in (None, claim.host_key):
        return Verdict("it is for another host than the one that was named", name, key)
    return Verdict("", name, key)

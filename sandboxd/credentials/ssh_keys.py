"""The keys in the user's SSH agent, and the hosts that a record names, as they are when a sandbox starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.credentials.sources import NoSecret
from sandboxd.credentials.ssh_agent import known_hosts, wire
from sandboxd.credentials.ssh_agent.agent import Agent
from sandboxd.credentials.ssh_agent.choice import Choice, Host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.records import Record

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?")

_VARIABLE = "SSH_AUTH_SOCK"


def present(environ: Mapping[str, str]) -> dict[str, str]:
    """The comments of the keys in the user's agent, by the fingerprint of the key.

    :param environ: the environment of the calling shell
    :raises NoSecret: there is no agent, or it does not answer
    """
    path = environ.get(_VARIABLE, "")
    if not path:
        raise NoSecret(
            f"`{_VARIABLE}` is not set in this shell, so it has no SSH agent",
            'start one: `eval "$(ssh-agent)"`, then `ssh-add`',
        )
    try:
        agent = Agent(path)
        try:
            listed = agent.identities()
        finally:
            agent.close()
    except (OSError, wire.Malformed) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise NoSecret(
            f"the SSH agent at `{path}` does not answer: {why}",
            'start one: `eval "$(ssh-agent)"`, then `ssh-add`',
        ) from None
    return {wire.fingerprint(each.key): each.comment.decode("utf-8", "replace") for each in listed}


def choose(record: Record, environ: Mapping[str, str]) -> Choice:
    """The keys and hosts of `record` that a sandbox may use.

    :param environ: the environment of the calling shell
    :raises NoSecret: the agent has none of the keys, or the host keys of a host are not known
    """
    keys = tuple(word for word in record.place if FINGERPRINT.fullmatch(word))
    names = [word for word in record.place if word not in keys]
    listed = present(environ)
    if not any(key in listed for key in keys):
        raise NoSecret(
            f"your SSH agent has not the key of `{record.name}`: {', '.join(keys)}",
            "`ssh-add` the key's file, then run it again",
        )
    hosts = tuple(Host(name, known_hosts.keys_of(name, environ)) for name in names)
    for host in hosts:
        if not host.keys:
            raise unknown(host.name)
    return Choice(environ[_VARIABLE], keys, hosts)


def unknown(host: str) -> NoSecret:
    """The error to report for a host whose host keys are not known."""
    name, _, port = host.partition(":")
    words = f"-p {port} {name}" if port else name
    return NoSecret(
        f"no file of known hosts has a key of `{host}`, to which signatures are to be bound",
        f"log in to it once, and compare its key: `ssh {words}`",
    )

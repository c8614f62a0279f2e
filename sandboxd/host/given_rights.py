"""Stores what a running sandbox was last given (rules, credentials), and for which content of sandboxd.toml.

Another process needs it to take back rights that the sandbox may no longer have, and to give nothing for an edit that
the user did not accept. It is kept in the user's state folder from the start of a sandbox to its end, and contains no
proxy login and no secret.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import NotAPolicy, policy_from_json, policy_to_json
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.host.folders import state_folder, workspace_file


class GivenRights(NamedTuple):
    """What the sandbox in one container was given."""

    container: str
    """The container's id."""
    digest: str
    """The digest of the sandboxd.toml that the last start, or a later grant of the user, was for; '' without a file."""
    most: Policy
    """The policy with all rules and credentials that were planned for that file: the sandbox gets no more."""
    gateway: Policy | None = None
    """The policy that its gateway was last sent, without the login at a proxy; None before the first."""
    is_granted: bool = False
    """Whether the user had accepted that content of sandboxd.toml."""
    accounts: tuple[tuple[str, str], ...] = ()
    """(service, credential) of the secrets that the last start sent to the gateway, as ``("github", "github:work")``;
    the credential is '' if the user has removed it since."""


def sandboxes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The identities of all sandboxes of this user for which something is stored, which have not been seen to end."""
    folder, identities = _folder(environ), []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if identity := _identity(os.path.join(folder, name)):
                identities.append(identity)
    return tuple(identities)


def recall(environ: Mapping[str, str], sandbox: str) -> GivenRights | None:
    """What the sandbox was last given; None where nothing valid is stored.

    :param sandbox: its identity (`model.sandbox_id`)
    """
    try:
        record = json.loads(read_source(_path(environ, sandbox)).text)
        if record["sandbox"] != sandbox:
            return None
        gateway = record["gateway"]
        return GivenRights(
            str(record["container"]),
            str(record["digest"]),
            policy_from_json(record["most"]),
            policy_from_json(gateway) if gateway is not None else None,
            record.get("is_granted") is True,
            tuple((str(label), str(name)) for label, name in record.get("accounts", ())),
        )
    except (SandboxdError, NotAPolicy, ValueError, KeyError, TypeError, RecursionError):
        return None


def keep(environ: Mapping[str, str], sandbox: str, given: GivenRights) -> None:
    """Store `given` in place of what was stored before.

    :raises EnvironmentFailure: it cannot be written
    """
    record: dict[str, Any] = {
        "sandbox": sandbox,
        "container": given.container,
        "digest": given.digest,
        "most": policy_to_json(Policy(rules=given.most.rules, credentials=given.most.credentials)),
        "gateway": _of_gateway(given.gateway) if given.gateway is not None else None,
        "is_granted": given.is_granted,
        "accounts": given.accounts,
    }
    try:
        # Containers end with the machine, and what they were given as well.
        write_private(_path(environ, sandbox), json.dumps(record).encode(), synced=False)
    except OSError as error:
        raise EnvironmentFailure(
            "what the sandbox is given cannot be kept in the state folder: "
            f"{(error.strerror or 'an error').lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None


def forget(environ: Mapping[str, str], sandbox: str) -> None:
    """Remove what is stored, at the end of the sandbox."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, sandbox))


def _identity(path: str) -> str:
    """The sandbox that the file at `path` is of; '' where it is no record."""
    try:
        return str(json.loads(read_source(path).text)["sandbox"])
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _of_gateway(policy: Policy) -> dict[str, object]:
    upstream = policy.upstream
    without = upstream and upstream._replace(credentials="")
    return policy_to_json(policy._replace(upstream=without))


def _folder(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), "given")


def _path(environ: Mapping[str, str], sandbox: str) -> str:
    return workspace_file(_folder(environ), sandbox, ".json")

"""Reads what a sandbox that runs may have at this moment, also where its config, or what says so, cannot be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.errors import NoFolder, UsageError
from sandboxd.policy.in_force import in_force
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.policy.gateway_rights import GatewayRights
    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project


OPEN_LATER = "the network is to be open, which only the next `sandboxd up` applies"
"""The reason why a running sandbox with a gateway has no more than before."""
_SSH = "ssh"
"""The service of SSH keys, as a policy names it."""


def read(sandbox: str, environ: Mapping[str, str], container: str) -> tuple[Rights, str | None]:
    """As `read_by`, with what is stored of the sandbox."""
    record = given_rights.recall(environ, sandbox, container)
    return read_by(record, sandbox, environ, container)


def read_by(
    record: GivenRights | None, sandbox: str, environ: Mapping[str, str], container: str
) -> tuple[Rights, str | None]:
    """What the sandbox may have now, and the digest of the config that says so; None where that cannot be read.

    Nothing where the folder of the project is not there any more. Where the network is to be open, and the container is
    known to have been given a gateway, what that may have until the next start, with None as the digest.

    :param record: what `given_rights.recall` returned for the container
    :raises UsageError: nor can anything else that says so, for a moment so far
    """
    from sandboxd.policy import unreadable
    from sandboxd.project.of_sandbox import of_sandbox
    from sandboxd.project.rights import rights_by, rights_of_unread, rights_of_unreadable

    project, now = None, time.time()
    try:
        project = of_sandbox(sandbox, environ)
        whole, digest = rights_by(project, container, now, record), project.config.digest
        if whole.gateway is not None or record is None:
            return whole, digest
        # An open network is made by a start: until then the gateway that runs keeps what it has, less what is taken back.
        last = rights_of_unread(sandbox, container, environ, now, OPEN_LATER, record, project)
        return (whole, digest) if last is None else (last, None)
    except NoFolder as error:
        # Whoever moved it edits its config elsewhere: nobody would learn of what is taken back there.
        return rights_of_unreadable(sandbox, container, environ, error.message, record), None
    except UsageError as error:
        problem = error.message
        try:
            wanted = rights_of_unread(sandbox, container, environ, now, problem, record, project)
            if wanted is None:
                raise
        except UsageError:
            if not unreadable.is_past(environ, now):
                raise
            wanted = rights_of_unreadable(sandbox, container, environ, problem, record)
        return wanted, None


def of_stopped(
    record: GivenRights | None, sandbox: str, environ: Mapping[str, str], container: str
) -> Rights:
    """What a sandbox may have while its container is stopped: nothing, as anybody may start that again."""
    from sandboxd.project.rights import rights_of_unreadable

    return rights_of_unreadable(sandbox, container, environ, "it is stopped", record)


def logins_now(
    before: GivenRights | None, digest: str | None, wanted: Rights, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """The fingerprints of SSH keys, and the hosts, by which a login may stay open.

    Where the config cannot be read, these are those of before that policy, grants and the user's list of credentials still have.

    :param before: what is stored so far
    :param digest: of the config; None where it cannot be read
    """
    if digest is not None and not wanted.no_credentials:
        return tuple(sorted(wanted.keys.words))
    if before is None or not before.logins:
        return ()
    # Late: most sandboxes use none.
    from sandboxd.credentials import records
    from sandboxd.project.rights import is_granted_still

    try:
        listed, demands = records.load(environ), in_force(environ)
        sandbox = wanted.target.sandbox
        is_revoked = before.is_granted and not is_granted_still(before, sandbox, environ, demands)
    except UsageError:
        return before.logins
    if is_revoked or (demands.credentials is not None and _SSH not in demands.credentials):
        return ()
    words = {word for each in listed if each.source == records.SSH_AGENT for word in each.place}
    return tuple(word for word in before.logins if word in words)


def to_keep(
    before: GivenRights | None,
    digest: str | None,
    wanted: Rights,
    gateway: GatewayRights,
    logins: tuple[str, ...] = (),
) -> GivenRights | None:
    """What is to be stored of a sandbox whose gateway has `gateway`, or gets it next; None to leave what is.

    :param before: what is stored so far
    :param digest: of the config; None where it cannot be read
    :param logins: as `logins_now` returns them
    """
    container = wanted.target.container
    if digest is None and before is not None and before.container not in ("", container):
        # It is of another container, so this one has nothing by it, now and later.
        return None
    # Without the records nobody knows all that was planned.
    is_whole = digest is not None and not wanted.is_bounded and not wanted.no_credentials
    if before is None or is_whole:
        planned = wanted.planned or Policy()
        grantee = before.grantee if before is not None else ""
        given = GivenRights(
            container, digest or "", planned, None, wanted.is_granted, grantee=grantee
        )
    else:
        given = before._replace(container=container)
    if before is not None:
        given = given._replace(once=before.once, spent=before.spent)
    return given.with_gateway(gateway.policy)._replace(accounts=wanted.accounts, logins=logins)


def keep(
    environ: Mapping[str, str],
    before: GivenRights | None,
    digest: str | None,
    wanted: Rights,
    gateway: GatewayRights,
) -> None:
    """Keep what the gateway has, and what bounds an edit of the config that nobody agreed to.

    :param before: what is stored so far
    :param digest: of the config; None where it cannot be read
    :raises EnvironmentFailure: it cannot be written
    """
    logins = logins_now(before, digest, wanted, environ)
    given = to_keep(before, digest, wanted, gateway, logins)
    if given is not None:
        given_rights.keep(environ, wanted.target.sandbox, given)


def of_project(project: Project, container: str) -> Rights:
    from sandboxd.project.rights import rights_now

    return rights_now(project, container, time.time())

"""Saves what a start gave, and by which content of sandboxd.toml: what `operations.gateway.follow` reads later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.policy import once, trust
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project


def note(
    project: Project,
    container: str,
    rights: Rights | None,
    engine_id: str = "",
    serials: Iterable[tuple[str, str]] = (),
    waiting: Callable[[str], None] = lambda _: None,
    *,
    is_open: bool = False,
) -> None:
    """Save for which container, and by which content of sandboxd.toml, a start gave its rights.

    :param container: its id
    :param rights: those of the plan; None without a gateway
    :param engine_id: the engine's own id; '' if not known
    :param serials: as `Resolved.serials`: of the secrets that were sent, which may have been replaced since
    :param waiting: as in `gateway_start.giving`
    :param is_open: whether its network is open, and so has no gateway
    :raises EnvironmentFailure: it cannot be written, or another process holds the rights lock for too long
    """
    from sandboxd.life.lock import rights_lock

    environ, sandbox = project.environ, project.sandbox
    is_granted = trust.is_granted(
        environ, project.grantee, project.config.digest, project.profile.name
    )
    if rights is None or rights.planned is None:
        _note_without_gateway(project, container, engine_id, is_granted=is_granted, is_open=is_open)
        return
    read = dict(serials)
    accounts = (
        (label, each.account, read.get(each.account, each.serial))
        for each in rights.credentials
        for label, _ in each.doors
    )
    with rights_lock(environ, sandbox, waiting):
        before = given_rights.recall(environ, sandbox)
        gateway = before.gateway if before is not None else None
        given = GivenRights(
            container,
            project.config.digest,
            rights.planned,
            gateway,
            is_granted,
            tuple(accounts),
            engine_id,
            tuple(sorted(word for each in rights.credentials for word in each.place)),
            project.grantee,
        )
        if before is not None:
            given = given._replace(once=before.once, spent=before.spent)
        given_rights.keep(environ, sandbox, given)


def _note_without_gateway(
    project: Project, container: str, engine_id: str, *, is_granted: bool, is_open: bool
) -> None:
    environ, sandbox = project.environ, project.sandbox
    last = given_rights.recall(environ, sandbox)
    # The gateway of an earlier start has ended, and may have used all that it had.
    had = last.serials if last is not None else ()
    is_noted = once.use_up(environ, sandbox, had)
    if is_noted:
        given_rights.forget(environ, sandbox, {container})
    if not is_open:
        return
    wanted = project.config.network.wanted_mode
    given = GivenRights(
        container,
        project.config.digest,
        Policy(),
        # Else it is the profile's, which no grant gives.
        is_granted=is_granted and wanted is not None and wanted.value == "open",
        engine_id=engine_id,
        grantee=project.grantee,
        spent=() if is_noted else had,
        is_open=True,
    )
    given_rights.keep(environ, sandbox, given)

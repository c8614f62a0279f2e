"""Saves what a start gave, and by which content of sandboxd.toml: what `operations.gateway.follow` reads later."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.egress.policy import Policy
from sandboxd.errors import EnvironmentFailure
from sandboxd.policy import once, trust
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project


def note(
    project: Project,
    container: str,
    rights: Rights | None,
    engine_id: str = "",
    serials: Iterable[tuple[str, str]] = (),
    waiting: Callable[[str], None] | None = None,
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
    with rights_lock(environ, sandbox, waiting=waiting):
        before = given_rights.recall(environ, sandbox)
        if rights is None or rights.planned is None:
            # The gateway of an earlier start has ended, and may have used all that it had.
            had = before.serials if before is not None else ()
            is_noted = once.use_up(environ, sandbox, had)
            if is_open:
                spent = () if is_noted else had
                given_rights.keep(environ, sandbox, _open(project, container, engine_id, spent))
            elif is_noted:
                given_rights.forget(environ, sandbox, {container})
            return
        read = dict(serials)
        accounts = (
            (label, each.account, read.get(each.account, each.serial))
            for each in rights.credentials
            for label, _ in each.doors
        )
        given = GivenRights(
            container,
            project.config.digest,
            rights.planned,
            before.gateway if before is not None else None,
            _is_granted(project),
            tuple(accounts),
            engine_id,
            tuple(sorted(word for each in rights.credentials for word in each.place)),
            project.grantee,
        )
        if before is not None:
            given = given._replace(once=before.once, spent=before.spent)
        given_rights.keep(environ, sandbox, given)


@contextlib.contextmanager
def note_open(
    engine: Engine, project: Project, engine_id: str, waiting: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """The value notes that a container with an open network is about to run, whose id `note` adds; to be called directly
    before it does.

    If the block fails, and no container of the sandbox is left, what was noted before is noted again.

    :param engine_id: as in `note`, and so `waiting`
    """
    from sandboxd.life.find import sandboxes_of
    from sandboxd.life.lock import rights_lock

    environ, sandbox = project.environ, project.sandbox
    before: list[GivenRights | None] = []

    def save() -> None:
        with rights_lock(environ, sandbox, waiting=waiting):
            last = given_rights.recall(environ, sandbox)
            before.append(last)
            had = last.serials if last is not None else ()
            given_rights.keep(environ, sandbox, _open(project, "", engine_id, had))

    try:
        yield save
    except BaseException:
        # Where the engine does not say, one may run.
        with contextlib.suppress(EnvironmentFailure):
            if before and not sandboxes_of(engine, sandbox):
                with rights_lock(environ, sandbox):
                    _restore(environ, sandbox, before[0])
        raise


def _restore(environ: Mapping[str, str], sandbox: str, before: GivenRights | None) -> None:
    if before is not None:
        given_rights.keep(environ, sandbox, before)
    else:
        given_rights.forget(environ, sandbox)


def _open(project: Project, container: str, engine_id: str, spent: tuple[str, ...]) -> GivenRights:
    """What a container with an open network was given.

    :param spent: as `GivenRights.spent`
    """
    wanted = project.config.network.wanted_mode
    return GivenRights(
        container,
        project.config.digest,
        Policy(),
        # Else it is the profile's, which no grant gives.
        is_granted=wanted is not None and wanted.value == "open" and _is_granted(project),
        engine_id=engine_id,
        grantee=project.grantee,
        spent=spent,
        is_open=True,
    )


def _is_granted(project: Project) -> bool:
    digest, profile = project.config.digest, project.profile.name
    return trust.is_granted(project.environ, project.grantee, digest, profile)

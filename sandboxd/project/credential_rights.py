"""Determines which credentials a sandbox may use now, by the user's records and what its gateway was sent."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.policy.rights import CredentialRight, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.credentials.records import Record
    from sandboxd.credentials.uses import Use
    from sandboxd.policy.floor import Floor
    from sandboxd.state.given_rights import GivenRights


def accounts_now(
    environ: Mapping[str, str], given: GivenRights | None, container: str
) -> tuple[tuple[str, str, str], ...]:
    """The services whose secrets the gateway has, each with its account and the identity of that.

    '' for the account if it has no record any more, or another one, or if the secrets were sent for another container
    than `container`: the gateway of one that an editor starts may still have those of the last `up`.
    """
    if given is None or not given.accounts:
        return ()
    if container and given.container not in ("", container):
        return tuple((label, "", serial) for label, _, serial in given.accounts)
    from sandboxd.credentials import records

    try:
        known = {str(each.name): each for each in records.load(environ)}
    except UsageError:
        # Nothing is given by records that cannot be read; when they can, they say what is gone.
        return given.accounts
    return tuple(
        (label, account if _is_same(known.get(account), serial) else "", serial)
        for label, account, serial in given.accounts
    )


def _is_same(record: Record | None, given: str) -> bool:
    """:param given: '' in what an older version stored"""
    if record is None:
        return False
    # Nothing is given by one whose service is not described; when it is, that says whether it is the same.
    return bool(record.problem) or given in ("", record.identity)


def recorded_of_last(
    given: GivenRights,
    demands: Floor,
    accounts: Iterable[tuple[str, str, str]],
    environ: Mapping[str, str],
) -> Recorded:
    """The credentials of the last start that policy and records still have, by the doors that it planned."""
    ports, services = dict(given.most.credentials), demands.credentials
    credentials = tuple(
        CredentialRight(account, ((label, ports[label]),), account=account)
        for label, account, _ in accounts
        if label in ports
        and account
        and (services is None or account.partition(":")[0] in services)
    )
    if not credentials:
        return Recorded()
    from sandboxd.credentials import records

    try:
        listed = records.load(environ)
    except UsageError as error:
        return Recorded(problem=error.message)
    unusable = {str(each.name) for each in listed if each.problem}
    return Recorded(tuple(each for each in credentials if each.account not in unusable))


def recorded_of(uses: Iterable[Use], environ: Mapping[str, str]) -> Recorded:
    """The right to each credential of `uses` that the user has stored."""
    uses = tuple(uses)
    if not uses:
        return Recorded()
    from sandboxd.credentials import records
    from sandboxd.credentials.resolve import record_of
    from sandboxd.credentials.sources import NoSecret

    try:
        listed = records.load(environ)
    except UsageError as error:
        # What cannot be looked up is not given.
        return Recorded(problem=error.message)
    credentials = []
    for use in uses:
        with contextlib.suppress(NoSecret):
            record = record_of(listed, use.name)
            place = record.place if use.service.uses_agent else ()
            doors = tuple((door.label, door.port) for door in use.doors)
            credentials.append(
                CredentialRight(
                    str(use.name), doors, place, account=str(record.name), serial=record.identity
                )
            )
    return Recorded(tuple(credentials))

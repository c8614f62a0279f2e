"""Stores what a running sandbox was last given (rules, credentials), and for which content of sandboxd.toml.

Another process needs it to take back rights that the sandbox may no longer have, and to give nothing for an edit that
the user did not accept. It is kept in the user's state folder from the start of a sandbox to its end, and contains no
proxy login and no secret.

A sandbox of the same identity may run on each of the user's engines, so there is a record for each container. It names
the engine, since what is taken back has to reach it from any shell.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import NotAPolicy, policy_from_json, policy_to_json
from sandboxd.engine.contexts import Identity, on_engine, resolve
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file

_MOST_ONCE = 2048
"""As many answers as one user can have."""


class GivenRights(NamedTuple):
    """The rights that the sandbox in one container was given."""

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
    accounts: tuple[tuple[str, str, str], ...] = ()
    """(service, credential, serial of its record) of the secrets that the last start sent to the gateway, as
    ``("github", "github:work", "3f...")``; the credential is '' if the user has removed or replaced it since."""
    engine_id: str = ""
    """The engine's own id (``ID`` of its ``/info``): its address may lead to another engine later. '' if not known."""
    logins: tuple[str, ...] = ()
    """The fingerprints of SSH keys, and the hosts, by which a login may be open."""
    grantee: str = ""
    """The folder whose grants counted at the start (`Project.grantee`); '' if not known, as in an older record. Those of
    another one give nothing beyond `most`."""

    once: tuple[str, ...] = ()
    """The serials of the approvals for one connection that its present gateway was given."""
    spent: tuple[str, ...] = ()
    """The serials of those that an earlier gateway was given, which may have used them: no other one gets them."""
    is_open: bool = False
    """Whether it has an open network instead of a gateway, which only its end closes."""

    @property
    def serials(self) -> tuple[str, ...]:
        """The serials of all approvals for one connection that any of its gateways was given."""
        return (*self.spent, *self.once)

    def of_ended(self, used: Iterable[str]) -> GivenRights:
        """The same of a sandbox that ended, while the use of the approvals with the serials `used` cannot be noted."""
        spent = tuple(dict.fromkeys(used))[-_MOST_ONCE:]
        return self._replace(gateway=None, accounts=(), once=(), spent=spent, is_open=False)

    def with_gateway(self, policy: Policy) -> GivenRights:
        """The same with `policy` as what its gateway has, or gets next."""
        serials = (rule.once for rule in policy.rules if rule.once)
        once = tuple(dict.fromkeys((*self.once, *serials)))[-_MOST_ONCE:]
        return self._replace(gateway=policy, once=once)

    def with_new_gateway(self) -> GivenRights:
        """The same for another run of a gateway, which knows nothing of what the one before used."""
        spent = tuple(dict.fromkeys((*self.spent, *self.once)))[-_MOST_ONCE:]
        return self._replace(once=(), spent=spent)


UNKNOWN = "?"
"""In place of the grantee in what stands for a record that cannot be read: no grant is for it."""


class Entry(NamedTuple):
    """One record: which container of which sandbox was given something, and where that container is."""

    sandbox: str
    """The sandbox's identity (`model.sandbox_id`)."""
    container: str
    """The container's id; '' while a start has not made it yet."""
    engine: Identity | None
    """The engine of the container; None in a record of an older version, which did not store it."""
    path: str
    """The path of the record."""
    is_gone: bool = False
    """Whether the user said that the engine is gone for good. The record stays for the case that it comes back."""
    given: GivenRights | None = None
    """The rights that the container was given; None if that part of the record is not valid."""


def entries(environ: Mapping[str, str]) -> tuple[Entry, ...]:
    """The records of all sandboxes of this user, on whatever engine, that have not been seen to end."""
    folder, records = _folder(environ), []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if record := _entry(os.path.join(folder, name)):
                records.append(record)
    return tuple(records)


def unreadable(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of records that are there and cannot be read, or of their folder: nobody knows what they are about."""
    folder = _folder(environ)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return ()
    except OSError:
        return (folder,)
    paths = [os.path.join(folder, name) for name in names]
    return tuple(path for path in paths if _is_damaged(path))


def recall(environ: Mapping[str, str], sandbox: str, container: str = "") -> GivenRights | None:
    """The rights that the sandbox was last given on the engine that `environ` selects; None without a record.

    One that cannot be read stands for no rights at all until the next start, with `UNKNOWN` as grantee. A record of an
    older version counts for whichever engine asks first.

    :param sandbox: its identity (`model.sandbox_id`)
    :param container: the id of the container that is meant: its record is found under whatever address its engine was
        reached; '' for whichever
    """
    own = _record_of(environ, sandbox, container)
    if own is not None and own.given is not None and own.sandbox == sandbox:
        return own.given
    older = _entry(_old_path(environ, sandbox))
    if older is not None and older.sandbox == sandbox:
        return older.given
    if _is_damaged(_path(environ, sandbox)):
        return GivenRights(container, "", Policy(), grantee=UNKNOWN)
    return None


def keep(environ: Mapping[str, str], sandbox: str, given: GivenRights) -> None:
    """Store `given` in place of what was stored before for its container, or for the engine that `environ` selects.

    :raises EnvironmentFailure: it cannot be written
    """
    before, old = _record_of(environ, sandbox, given.container), _old_path(environ, sandbox)
    path = before.path if before is not None else _path(environ, sandbox)
    engine = resolve(environ)
    if before is not None and before.engine is not None:
        # A container that is reached under another address, too, keeps the one of its record.
        engine = engine if before.engine.address == engine.address else before.engine
    record = {"sandbox": sandbox, "engine": engine.to_json(), **to_json(given)}
    try:
        # Containers end with the machine, and what they were given as well.
        write_private(path, json.dumps(record).encode(), synced=False)
        if (older := _entry(old)) is not None and older.container in ("", given.container):
            os.unlink(old)
    except OSError as error:
        raise EnvironmentFailure(
            "what the sandbox is given cannot be kept in the state folder: "
            f"{(error.strerror or 'an error').lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None


def forget(environ: Mapping[str, str], sandbox: str, containers: Collection[str] = ()) -> None:
    """Remove what is stored of a sandbox, at its end on the engine that `environ` selects.

    :param containers: ids of the containers that it had there, whose records go under whatever address they were
        written
    """
    paths = [_path(environ, sandbox), _old_path(environ, sandbox)]
    paths += [
        each.path
        for each in entries(environ)
        if each.sandbox == sandbox and each.container and each.container in containers
    ]
    for path in paths:
        forget_record(path)


def forget_record(path: str) -> None:
    """Remove one record.

    :param path: as in `Entry`
    """
    with contextlib.suppress(OSError):
        os.unlink(path)


def note_gone(records: Iterable[Entry]) -> None:
    """Note in `records` that the user said that their engine is gone for good; a later `keep` ends that.

    :raises EnvironmentFailure: one cannot be written
    """
    for each in records:
        try:
            content = json.loads(read_source(each.path).text)
            write_private(each.path, json.dumps({**content, "is_gone": True}).encode())
        except OSError as error:
            raise EnvironmentFailure(
                f"`{each.path}` cannot be written: {(error.strerror or 'an error').lower()}",
                "make room in that folder, or correct its permissions, and run the same command again",
            ) from None


def _is_damaged(path: str) -> bool:
    """Whether there is a record that is none, or may be one that cannot be looked at."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    entry = _entry(path)
    return entry is None or entry.given is None


def _entry(path: str) -> Entry | None:
    """The record at `path`; None where that is none."""
    try:
        record = json.loads(read_source(path).text)
        engine = record.get("engine")
        where = None if engine is None else Identity.from_json(engine)
        sandbox, container = str(record["sandbox"]), str(record["container"])
        is_gone = record.get("is_gone") is True
    except (SandboxdError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Entry(sandbox, container, where, path, is_gone, from_json(record))


def to_json(given: GivenRights) -> dict[str, Any]:
    """`given` as JSON has it; `from_json` reads it back."""
    return {
        "container": given.container,
        "digest": given.digest,
        "most": policy_to_json(Policy(rules=given.most.rules, credentials=given.most.credentials)),
        "gateway": _of_gateway(given.gateway) if given.gateway is not None else None,
        "is_granted": given.is_granted,
        "accounts": given.accounts,
        "engine_id": given.engine_id,
        "logins": given.logins,
        "grantee": given.grantee,
        "once": given.once,
        "spent": given.spent,
        "is_open": given.is_open,
    }


def from_json(record: Mapping[str, Any]) -> GivenRights | None:
    """The rights in a stored record; None if they are not valid."""
    try:
        gateway = record["gateway"]
        return GivenRights(
            str(record["container"]),
            str(record["digest"]),
            policy_from_json(record["most"]),
            policy_from_json(gateway) if gateway is not None else None,
            record.get("is_granted") is True,
            tuple(map(_account, record.get("accounts", ()))),
            str(record.get("engine_id", "")),
            tuple(map(str, record.get("logins", ()))),
            str(record.get("grantee", "")),
            tuple(map(str, record.get("once", ()))),
            tuple(map(str, record.get("spent", ()))),
            record.get("is_open") is True,
        )
    except (NotAPolicy, ValueError, KeyError, TypeError, RecursionError):
        return None


def _account(words: Iterable[str]) -> tuple[str, str, str]:
    """:param words: an older version had no serial"""
    label, name, *serial = words
    return str(label), str(name), str(serial[0]) if serial else ""


def _of_gateway(policy: Policy) -> dict[str, object]:
    upstream = policy.upstream
    without = upstream and upstream._replace(credentials="")
    return policy_to_json(policy._replace(upstream=without))


def _folder(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), "given")


def _record_of(environ: Mapping[str, str], sandbox: str, container: str) -> Entry | None:
    """The record of `container`, else the one of the engine that `environ` selects; None where neither is there."""
    own = _entry(_path(environ, sandbox))
    if not container or (own is not None and own.container == container):
        return own
    for each in entries(environ):
        if (each.sandbox, each.container) == (sandbox, container) and each.engine is not None:
            return each
    return own


def _path(environ: Mapping[str, str], sandbox: str) -> str:
    """The record of a sandbox on the engine that `environ` selects."""
    return workspace_file(_folder(environ), on_engine(sandbox, environ), ".json")


def _old_path(environ: Mapping[str, str], sandbox: str) -> str:
    """The record of a version that kept one for each sandbox, whatever its engine."""
    return workspace_file(_folder(environ), sandbox, ".json")

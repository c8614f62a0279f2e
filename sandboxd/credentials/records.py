"""Stores where the user's secrets are: one entry for each credential, in the user's config folder. It contains no
secret.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.audit import notes
from sandboxd.credentials import own_services, service
from sandboxd.credentials.name import Name, NotACredential, parse_recorded
from sandboxd.errors import UnreadableError, UsageError
from sandboxd.file_lock import LONGEST_SECONDS, locked_beside
from sandboxd.files import decode, read_bytes, write_private
from sandboxd.policy.floor import user_folder
from sandboxd.policy.own_files import refuse_foreign, status_of
from sandboxd.toml_output import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.credentials.service import Endpoint

FILE_NAME = "credentials.toml"
SOURCES = ("keyring", "file", "environment", "command")
"""The kinds of places that a secret can be in, the safest first."""

SSH_AGENT = "ssh-agent"
"""The source of SSH keys: the user's agent, which never gives the keys away."""

_COMMENT = """\
Where the secrets of credentials are; none of them is in this file.
`sandboxd credentials add` and `remove` write it anew."""


class Record(NamedTuple):
    """The place of one secret.

    `place` depends on `source`: for `environment` the name of a variable, for `command` the words of its command
    line, for `ssh-agent` the fingerprints of keys and the hosts that they may log in to, else ().
    """

    name: Name
    source: str
    place: tuple[str, ...] = ()
    serial: str = ""
    """Tells the secret from an earlier one of the same name: never given twice. '' in a list of an older version, and
    before `put`.
    """
    form: str = ""
    """What the user's own description of the service says now, as `form_of` tells it; '' for a service that ships."""
    problem: str = ""
    """Why that description cannot be read, so that nothing gets the secret; '' if it can."""

    @property
    def identity(self) -> str:
        """Another one for each secret, also after an edit of the list by hand, and after one of what the secret is
        good for: a gateway uses it in the form that its start sent.
        """
        form = (self.form,) if self.form else ()
        words = repr((self.source, self.place, self.serial, *form))
        return hashlib.sha256(words.encode(errors="surrogateescape")).hexdigest()[:16]

    def where(self) -> str:
        """The place of the secret, for a person."""
        if self.source == "environment":
            return f"the variable `{self.place[0]}` of the shell that calls `up`"
        if self.source == "command":
            return f"the command `{' '.join(self.place)}`"
        if self.source == SSH_AGENT:
            return f"your SSH agent, for {', '.join(self.place)}"
        return "the keyring" if self.source == "keyring" else "a file in the config folder"


def load(environ: Mapping[str, str]) -> tuple[Record, ...]:
    """All records of this user, in the order of their names; () without a file.

    :raises UsageError: others can write the file, or it cannot be read, or is not valid
    """
    path = _path(environ)
    status = status_of(path, "which credentials you removed", follow_links=False)
    if status is None:
        return ()
    import tomllib

    refuse_foreign(path, status, 0o022)
    try:
        tables = tomllib.loads(decode(read_bytes(path)))["credentials"]
        return tuple(sorted(_record(table) for table in tables))
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        is_ours = isinstance(error, tomllib.TOMLDecodeError | NotACredential)
        reason = f": {error}" if is_ours else ""
        raise UsageError(
            f"`{path}` is not a list of credentials{reason}",
            "correct it; or remove it, then run `sandboxd credentials add` again",
        ) from None


def find(records: tuple[Record, ...], name: Name) -> Record | None:
    """The record of `name`; None where there is none."""
    return next((record for record in records if record.name == name), None)


def put(environ: Mapping[str, str], record: Record) -> None:
    """Save a record in place of one of the same name, with a new serial: sandboxes that run use no secret of an earlier
    one, as whoever names the same place again may have put another there.

    :raises RecordFailure: it cannot be recorded in the audit record; then nothing is saved
    """
    with locked_beside(_path(environ), seconds=LONGEST_SECONDS):
        others = [old for old in load(environ) if old.name != record.name]
        facts = {"name": str(record.name), "source": record.source, "place": _public_place(record)}
        notes.require(environ, "credential-added", "", **facts)
        _write(environ, [*others, record._replace(serial=secrets.token_hex(8))])


def remove(environ: Mapping[str, str], name: Name) -> tuple[Record | None, str]:
    """Remove the record of `name`; returns it, and '' or why that could not be recorded in the audit record.

    The record is None where there was none.
    """
    if find(load(environ), name) is None:
        return None, ""
    with locked_beside(_path(environ), seconds=LONGEST_SECONDS):
        before = load(environ)
        _write(environ, [old for old in before if old.name != name], takes_back=True)
    return find(before, name), notes.note(environ, "credential-removed", "", name=str(name))


def _public_place(record: Record) -> list[str]:
    """The place of a secret for the record: keys and hosts, a variable, or a program without its arguments."""
    return list(record.place if record.source != "command" else record.place[:1])


def _record(table: Mapping[str, Any]) -> Record:
    name, source = parse_recorded(str(table["name"])), table["source"]
    place, serial = tuple(table["place"]), str(table.get("serial", ""))
    if source not in (*SOURCES, SSH_AGENT) or not all(
        isinstance(word, str) and word for word in place
    ):
        raise ValueError("no source")
    is_sound = {
        "environment": len(place) == 1,
        "command": len(place) >= 1,
        SSH_AGENT: len(place) >= 2,
    }.get(source, not place)
    form, problem, uses_agent = "", "", False
    if own_services.is_name(name.service):
        form, problem = _described(name.service)
    else:
        uses_agent = service.load(name.service).uses_agent
    if not is_sound or uses_agent != (source == SSH_AGENT):
        raise ValueError("no place")
    return Record(name, source, place, serial, form, problem)


def _described(own: str) -> tuple[str, str]:
    """What the user's description of a service says, as `form_of` tells it; or '', and why it cannot be read."""
    try:
        return form_of(service.load(own).endpoints), ""
    except KeyError:
        return "", f"`{own_services.path(own)}`, which describes its service, is not there"
    except UsageError as error:
        return "", error.message


def form_of(endpoints: Iterable[Endpoint]) -> str:
    """A digest of the hosts, methods and paths that a secret is good for, and of how it is sent there."""
    return hashlib.sha256(repr(tuple(endpoints)).encode()).hexdigest()[:16]


def _write(environ: Mapping[str, str], records: list[Record], *, takes_back: bool = False) -> None:
    path = _path(environ)
    listed = [
        {
            "name": str(record.name),
            "source": record.source,
            "place": list(record.place),
            **({"serial": record.serial} if record.serial else {}),
        }
        for record in sorted(records)
    ]
    write_private(path, document({"credentials": listed}, _COMMENT), takes_back=takes_back)


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(user_folder(environ), FILE_NAME)

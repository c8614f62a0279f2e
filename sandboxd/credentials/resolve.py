"""Reads the secrets of a sandbox's credentials for its gateway, each bound to the requests that its service allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.credentials import records, roots, sources, ssh_keys
from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.credentials.name import Name
    from sandboxd.credentials.records import Record
    from sandboxd.credentials.secret import Secret
    from sandboxd.credentials.ssh_agent.choice import Choice
    from sandboxd.credentials.uses import Door, Use


class Missing(NamedTuple):
    """A credential whose secret could not be read, why, and the next step for the user."""

    name: Name
    why: str
    hint: str


class Resolved(NamedTuple):
    """The credentials for a gateway, and those whose secrets are missing."""

    credentials: Credentials
    missing: tuple[Missing, ...] = ()
    ssh: Choice | None = None
    """The keys and hosts that the user's SSH agent is to be used for; None for none."""
    serials: tuple[tuple[str, str], ...] = ()
    """(account, `Record.identity`) of the records by which secrets were read."""


def resolve(uses: Sequence[Use], environ: Mapping[str, str]) -> Resolved:
    """Read the secrets of `uses`.

    :param environ: the environment of the calling shell
    :raises UsageError: the user's list of credentials cannot be read
    :raises EnvironmentFailure: the secret of a required one cannot be read
    """
    # Before the secrets: one that is replaced meanwhile has another serial than this.
    listed = records.load(environ)
    bindings: list[Binding] = []
    missing: list[Missing] = []
    ssh: Choice | None = None
    forms = {use.name.service: _form(use) for use in uses}
    serials = tuple((str(each.name), _sent(each, forms).identity) for each in listed)
    for use in uses:
        try:
            record = record_of(listed, use.name)
            if use.service.uses_agent:
                ssh = ssh_keys.choose(record, environ)
            else:
                secret = sources.read(record, environ)
                bindings += [_binding(door, secret) for door in use.doors]
        except EnvironmentFailure as error:
            if use.is_required:
                raise EnvironmentFailure(
                    f"the credential `{use.name}` is required: {error.message}", error.hint
                ) from None
            missing.append(Missing(use.name, error.message, error.hint))
    if not bindings:
        return Resolved(Credentials(), tuple(missing), ssh, serials)
    try:
        sent = Credentials(tuple(bindings), roots.pem(environ))
        return Resolved(sent, tuple(missing), ssh, serials)
    except EnvironmentFailure as error:
        if any(use.is_required for use in uses):
            raise
        names = {each.name for each in missing}
        without = [
            Missing(use.name, error.message, error.hint)
            for use in uses
            if not use.service.uses_agent
        ]
        rest = (each for each in without if each.name not in names)
        return Resolved(Credentials(), (*missing, *rest), ssh, serials)


def record_of(listed: tuple[Record, ...], name: Name) -> Record:
    """The record of `name` among `listed`; a name without an account stands for the only account of its service.

    :raises NoSecret: there is none, or there are several accounts and none is named, or its service is not described
    """
    record = _record_of(listed, name)
    if record.problem:
        raise sources.NoSecret(
            record.problem, f"correct that; or `sandboxd credentials remove {record.name}`"
        )
    return record


def _record_of(listed: tuple[Record, ...], name: Name) -> Record:
    record = records.find(listed, name)
    if record is not None:
        return record
    others = [each for each in listed if each.name.service == name.service]
    if name.account or not others:
        raise sources.NoSecret(
            f"nobody said where the secret of `{name}` is", f"`sandboxd credentials add {name}`"
        )
    if len(others) == 1:
        return others[0]
    accounts = ", ".join(f"`{each.name}`" for each in others)
    raise sources.NoSecret(
        f"there are several accounts of `{name}`: {accounts}",
        "name one of them below `[credentials]` in sandboxd.toml",
    )


def _form(use: Use) -> str:
    return records.form_of(door.endpoint for door in use.doors)


def _sent(record: Record, forms: Mapping[str, str]) -> Record:
    """`record` with the form in which its secret is sent: its service may be described anew since the plan.

    :param forms: that of each service whose secret is sent
    """
    return (
        record._replace(form=forms.get(record.name.service, record.form)) if record.form else record
    )


def _binding(door: Door, secret: Secret) -> Binding:
    endpoint = door.endpoint
    return Binding(
        service=door.label,
        port=door.port,
        host=endpoint.host,
        host_port=endpoint.port,
        header=endpoint.header,
        value=endpoint.value(secret),
        strip=endpoint.strip,
        methods=endpoint.methods,
        paths=endpoint.paths,
    )

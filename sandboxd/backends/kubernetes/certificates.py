"""Checks certificates, keys and tokens of a kubeconfig before anything is sent, to name the field that is wrong.

What the kubeconfig's credential plugin prints (`sign_in`) is not checked here.
"""

from __future__ import annotations

import base64
import re
import shlex
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes.kubeconfig import FILE
from sandboxd.errors import (
    EnvironmentFailure,
    MissingFileError,
    SandboxdError,
    UnreadableError,
    UsageError,
)
from sandboxd.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.kubeconfig import Context

_AUTHORITY, _CERTIFICATE, _KEY, _TOKEN = (
    "certificate-authority", "client-certificate", "client-key", "tokenFile",
)  # fmt: skip
_OTHER_WAYS = ("token", _TOKEN, "exec", "username")
"""An API server that does not take the certificate of a user goes on with these."""
_LARGEST = 4 << 20
_SIGN_IN = "sign in to the cluster again: its own tool writes it"
_BLOCK = re.compile(
    rb"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----\s([A-Za-z0-9+/=\s]++)-----END \1-----"
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.M)
_VERSION, _UTC_TIME = 0xA0, 0x17
"""Tags of DER."""
_OF_ANOTHER = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""OpenSSL's reasons for a key that is not the certificate's; the last where it is of another kind."""


class _Field(NamedTuple):
    """A field of the kubeconfig, and what it holds or leads to."""

    name: str
    context: str
    file: str
    content: bytes = b""

    def wrong(self, why: str) -> UsageError:
        """The error where the field is not what it has to be."""
        return UsageError(f"{self.place} {why}", _SIGN_IN)

    @property
    def place(self) -> str:
        file = f" in `{self.file}`" if self.file else ""
        return f"`{self.name}` of the context `{self.context}`{file}"


def require_usable(context: Context) -> None:
    """Check that the cluster's CA certificate and the user's credentials can be read, and that none has expired.

    :raises UsageError: one is missing, or not of the kind that its field is for
    :raises EnvironmentFailure: one may not be read, has expired, or is not valid yet
    """
    authority = _field(context, context.cluster, _AUTHORITY)
    if authority is not None:
        _certificates(authority)
    _field(context, context.user, _TOKEN)
    certificate = _field(context, context.user, _CERTIFICATE)
    if certificate is None:
        return
    first = _certificates(certificate)[0]
    if not any(context.user.get(way) for way in _OTHER_WAYS):
        _require_time(certificate, first)
    key = _field(context, context.user, _KEY)
    if key is None:
        raise certificate.wrong(f"has no `{_KEY}` beside it")
    if _PRIVATE_KEY.search(key.content) is None:
        raise key.wrong("is no private key in PEM")
    if _ENCRYPTED.search(key.content):
        raise key.wrong("is encrypted, and nobody is asked for its password")


def as_kubectl(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The cluster's entry without the CA file that kubectl ignores beside inline CA data; the library would use it."""
    return {
        key: value
        for key, value in cluster.items()
        if key != _AUTHORITY or not cluster.get(f"{_AUTHORITY}-data")
    }


def of_pair(context: Context, error: ssl.SSLError) -> SandboxdError:
    """The error to report when OpenSSL refuses the user's certificate together with its key."""
    certificate = None
    if "exec" not in context.user:
        certificate = _field(context, context.user, _CERTIFICATE)
    key = _field(context, context.user, _KEY)
    if certificate is None or key is None:
        return EnvironmentFailure(
            f"the certificates of the context `{context.name}` cannot be read: {error.reason or error}",
            _SIGN_IN,
        )
    if error.reason in _OF_ANOTHER:
        return key.wrong(f"does not fit its `{certificate.name}`")
    if error.reason:
        why = error.reason.replace("_", " ").lower()
        return certificate.wrong(f"is refused by this machine's OpenSSL: {why}")
    return key.wrong("is no private key in PEM")


def _field(context: Context, entry: Mapping[str, Any], name: str) -> _Field | None:
    """The field with its content; what stands in the kubeconfig itself counts before a file that it names."""
    file = str(entry.get(FILE, ""))
    if data := entry.get(f"{name}-data"):
        field = _Field(f"{name}-data", context.name, file)
        try:
            return field._replace(content=base64.b64decode("".join(data.split()), validate=True))
        except (ValueError, TypeError, AttributeError):
            raise field.wrong("is no base64") from None
    path = entry.get(name)
    if not path:
        return None
    field = _Field(name, context.name, file)
    if not isinstance(path, str):
        raise field.wrong("is no path")
    return field._replace(content=_content(field, path))


def _content(field: _Field, path: str) -> bytes:
    """The bytes of the file, which the library and OpenSSL read once more: so it has to be one that ends."""
    try:
        return read_bytes(path, _LARGEST)
    except MissingFileError:
        raise field.wrong(f"names `{path}`, which is not there") from None
    except UnreadableError as error:
        raise EnvironmentFailure(
            f"{field.place} names `{path}`, which {error.message}",
            f"`ls -l {shlex.quote(path)}` shows what it is, and whose; {_SIGN_IN}",
        ) from None


def _certificates(field: _Field) -> list[bytes]:
    """The certificates that the field holds, as DER.

    :raises UsageError: there is none, or one that cannot be read
    """
    try:
        items = [base64.b64decode(block[2]) for block in _BLOCK.finditer(field.content)]
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"".join(items))
    except (ssl.SSLError, ValueError):
        items = []
    if not items:
        raise field.wrong("is no certificate in PEM")
    return items


def _require_time(field: _Field, certificate: bytes) -> None:
    """:raises EnvironmentFailure: the certificate is out of its time by the clock of this machine"""
    try:
        since, until = _validity(certificate)
    except (ValueError, IndexError, StopIteration):
        # Of another form than RFC 5280 has it: the cluster has to judge it.
        return
    now = datetime.now(UTC)
    if since <= now <= until:
        return
    when = (
        f"expired at {until:%Y-%m-%d %H:%M}" if now > until else f"begins at {since:%Y-%m-%d %H:%M}"
    )
    raise EnvironmentFailure(
        f"{field.place} {when} UTC, and the clock of this machine says {now:%Y-%m-%d %H:%M}",
        "set the clock if it is wrong; else sign in to the cluster again: its own tool makes a new one",
    )


def _validity(certificate: bytes) -> tuple[datetime, datetime]:
    """From when until when it is valid. Source: RFC 5280, 4.1; OpenSSL has read it before."""
    fields = list(_items(next(_items(next(_items(certificate))[1]))[1]))
    if fields[0][0] == _VERSION:
        fields.pop(0)
    _serial, _algorithm, _issuer, validity = fields[:4]
    since, until = (_moment(tag, text.decode()) for tag, text in _items(validity[1]))
    return since, until


def _items(data: bytes) -> Any:
    """Tag and content of each item of DER."""
    while data:
        length, start = data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        yield data[0], data[start : start + length]
        data = data[start + length :]


def _moment(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        # Two digits of a year: RFC 5280, 4.1.2.5.1.
        text = ("19" if text >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)

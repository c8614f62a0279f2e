"""Tests a secret by one request to its service that changes nothing."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sandboxd.credentials import roots
from sandboxd.egress import words as egress_words
from sandboxd.egress.issuer import naming

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from sandboxd.credentials.secret import Secret
    from sandboxd.credentials.service import Service

State = Literal["accepted", "refused", "not known", "not asked"]

SECONDS = 15.0
_MOST_BYTES = 1 << 20
_MOST_WORDS = 200
_EXPIRES = "github-authentication-token-expiration"
# Where services say why, in their JSON.
_REASONS = ("error_description", "message", "error")


class Answer(NamedTuple):
    """The result of a test. `words` contain text of the service, which has to be made printable before it is shown."""

    state: State
    words: str
    account: str = ""
    """The owner of the secret, as the service says; '' where it does not say."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: the secret is meant for one host."""


def ask(service: Service, secret: Secret, environ: Mapping[str, str]) -> Answer:
    """Send the test request of `service` with `secret`, over verified TLS; a redirect is not followed."""
    trial = service.trial
    if trial is None:
        return Answer("not asked", "it has no request that only asks: the first use will tell")
    endpoint = service.endpoint(trial.endpoint)
    host = endpoint.host if endpoint.port == 443 else f"{endpoint.host}:{endpoint.port}"
    request = urllib.request.Request(f"https://{host}{trial.path}", method="GET")
    request.add_header("User-Agent", "sandboxd")
    for name, value in trial.headers:
        request.add_header(name, value)
    request.add_unredirected_header(endpoint.header, endpoint.value(secret))
    context = naming(ssl.create_default_context(cadata=roots.pem(environ)))
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return _accepted(response.headers, _document(response.read(_MOST_BYTES)), trial.account)
    except urllib.error.HTTPError as error:
        status, document = error.code, _document(error.read(_MOST_BYTES))
    except (OSError, ValueError) as error:
        return Answer("not known", f"`{host}` is not reached: {_why(error)}")
    return _refused(status, _reason(document, secret))


def _accepted(headers: Message, document: Any, field: str) -> Answer:
    account = document.get(field) if isinstance(document, dict) and field else None
    account = account[:_MOST_WORDS] if isinstance(account, str) else ""
    words = f"accepted, as `{account}`" if account else "accepted"
    expires = headers.get(_EXPIRES)
    return Answer("accepted", words + (f"; it ends {expires[:40]}" if expires else ""), account)


def _refused(status: int, reason: str) -> Answer:
    its_words = f'; it says: "{reason}"' if reason else ""
    if status == 401:
        words = "refused: expired, revoked or mistyped"
        return Answer("refused", f"{words} (401){its_words}")
    if status == 403:
        words = "not allowed: it lacks a scope or is not known, or something on the way refuses"
        return Answer("refused", f"{words} (403){its_words}")
    if status == 429:
        return Answer("not known", f"too many requests: ask again later (429){its_words}")
    if 300 <= status < 400:
        return Answer("not known", f"it leads elsewhere, which is not followed ({status})")
    if status == 400:
        return Answer("refused", f"not taken for a secret of this service (400){its_words}")
    return Answer("not known", f"it answers {status}{its_words}")


def _document(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _reason(document: Any, secret: Secret) -> str:
    """The service's own words about a refusal, without the secret."""
    for _ in range(2):
        if not isinstance(document, dict):
            return ""
        words = [document.get(name) for name in _REASONS]
        texts = [word for word in words if isinstance(word, str)]
        if texts:
            return " ".join(texts[0].replace(secret.reveal(), "...").split())[:_MOST_WORDS]
        document = next((word for word in words if isinstance(word, dict)), None)
    return ""


def _why(error: OSError | ValueError) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        whose = getattr(cause, "issuer", "")
        why = egress_words.certificate(cause.verify_code, cause.verify_message, whose)
        return f"its certificate does not hold: {why}"
    return (getattr(cause, "strerror", None) or type(cause).__name__).lower()

"""Failures of requests to a cluster, in words with the next step."""

from __future__ import annotations

import json
import re
import shlex
import ssl
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.backends.kubernetes.kubeconfig import Context

_LONGEST = 600
_CODES_OF_PROXIES = (401, 403, 429)
NOT_SERVED = "404 page not found"
"""The whole answer of an API server to a request for an API group that it does not have."""
_BEFORE_SENDING = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")
"""Errors of the HTTP library after which nothing was sent."""
_NOT_YET_VALID, _EXPIRED = 9, 10
"""Codes of OpenSSL's verification of a certificate."""
_QUOTA = re.compile(r"exceeded quota: (?P<name>[^,]{1,253}), (?P<rest>.*)")
_WEBHOOK = re.compile(
    r'admission webhook "(?P<name>[^"]+)" denied the request:? ?(?P<why>.*)', re.S
)
_CUT_TLS = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
"""Errors of TLS by which the other end went away, which says nothing about its TLS."""
_KUBELET = re.compile(r"error dialing backend|dial tcp \S+:10250|no agent available")
"""In the API server's answer where it does not reach the node of a Pod."""
_RIGHT = re.compile(r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"')


class Refused(EnvironmentFailure):
    """The API server refuses a request: `code` is the HTTP status, `reason` that of the answer's `Status`, '' for
    none.
    """

    def __init__(self, code: int, message: str, hint: str, reason: str = "") -> None:
        super().__init__(message, hint)
        self.code, self.reason = code, reason

    @property
    def is_none_there(self) -> bool:
        """Whether the API server itself says that the object does not exist; a 404 of a proxy does not say that."""
        return self.code == 404 and self.reason == "NotFound"


class Unreachable(EnvironmentFailure):
    """The API server does not answer.

    `passes`: it may answer the same request later; `is_unsent`: no part of the request was sent.
    """

    def __init__(
        self, message: str, hint: str, *, passes: bool = False, is_unsent: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.passes, self.is_unsent = passes, is_unsent


def missing_extra() -> EnvironmentFailure:
    """The error to report when `lightkube` is not installed."""
    return EnvironmentFailure(
        "clusters need the extra `kubernetes`, which is not installed",
        "`pip install 'sandboxd[kubernetes]'`",
    )


def refused(context: Context, doing: str, code: int, reason: str, message: str) -> Refused:
    """The error to report for an answer of the API server with an error status.

    :param doing: what was asked for, in words that follow "refuses to", such as `read the Pods`
    :param reason: that of the answer's `Status`
    :param message: that of the answer's `Status`
    """
    text_of_server = " ".join(message.split())[:_LONGEST] or reason or f"code {code}"
    text, hint = _words(context, doing, code, reason, text_of_server)
    return Refused(code, text, hint, reason)


def no_api_server(context: Context) -> EnvironmentFailure:
    """The error to report for an answer that is not one of an API server."""
    return EnvironmentFailure(
        f"what answers at `{context.server}` is no Kubernetes API server",
        f"a proxy, a page to sign in or another program may stand there: `{context.kubectl} get pods` has to work",
    )


def refused_in_no_status(context: Context, doing: str, code: int, text: str) -> EnvironmentFailure:
    """The error to report for an HTTP status without a `Status` object: a proxy, or no API server, has answered."""
    if code in _CODES_OF_PROXIES or code >= 500:
        return refused(context, doing, code, "", text)
    if code == 404 and text.strip() == NOT_SERVED:
        return refused(context, doing, code, "", text)
    return no_api_server(context)


def _words(
    context: Context, doing: str, code: int, reason: str, text_of_server: str
) -> tuple[str, str]:
    name = context.name
    if code == 401:
        return (
            f"the cluster of `{name}` does not take your credentials: they are expired, or of another cluster",
            f"sign in again with the cluster's own tool; `{context.kubectl} get pods` has to work",
        )
    if (match := _QUOTA.search(text_of_server)) is not None:
        return (
            f"the namespace `{context.namespace}` has no room: quota {match['name']} ({match['rest']})",
            f"end what you do not need, or ask who manages the quota; `{context.kubectl} get quota` shows it",
        )
    if (match := _WEBHOOK.search(text_of_server)) is not None:
        return (
            f"the cluster's webhook `{match['name']}` refuses it: {match['why'] or 'no reason is given'}",
            "it is a rule of that cluster: who manages it can say what it wants",
        )
    if "violates PodSecurity" in text_of_server:
        return (
            f"the namespace `{context.namespace}` refuses it by Pod Security: {text_of_server}",
            "report it with this line: what sandboxd writes is to pass `restricted`",
        )
    if code == 403:
        right = _RIGHT.search(text_of_server)
        what = f"you may not {right['verb']} {right['resource']}" if right else text_of_server
        return (
            f"the cluster of `{name}` refuses to {doing}: {what}",
            f"`sandboxd doctor{context.option}` lists each right that is missing, and a Role that gives them",
        )
    if code == 404 and "namespaces" in text_of_server:
        return (
            f"there is no namespace `{context.namespace}` in the cluster of `{name}`",
            f"`kubectl --context {shlex.quote(name)} create namespace {shlex.quote(context.namespace)}`",
        )
    if code == 409 and reason == "Conflict":
        return (
            f"another program manages what sandboxd would write: {text_of_server}",
            f"`{context.kubectl} get all --show-managed-fields -o yaml` names it; "
            f"`sandboxd down{context.option}`, then start again",
        )
    if code == 410:
        return (
            f"the cluster of `{name}` has forgotten what was asked for: {text_of_server}",
            "run it again",
        )
    if code == 429:
        return (
            f"the cluster of `{name}` has too much to do, also after several tries",
            "run it again later",
        )
    if code >= 500 and _KUBELET.search(text_of_server):
        return (
            f"the node of the sandbox does not answer the cluster of `{name}`: {text_of_server}",
            f"the API server is well; `sandboxd status{context.option}` shows the node's state",
        )
    if code >= 500:
        return (
            f"the cluster of `{name}` fails to {doing}: {text_of_server}",
            f"run it again; `kubectl --context {shlex.quote(name)} get --raw '/readyz?verbose'` says what is ill",
        )
    return (
        f"the cluster of `{name}` refuses to {doing}: {text_of_server}",
        "it is a rule of that cluster",
    )


def unreachable(context: Context, error: Exception) -> Unreachable:
    """The error to report when no answer came.

    :param error: that of the HTTP library
    """
    chain = _chain(error)
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            if getattr(cause, "verify_code", 0) in (_NOT_YET_VALID, _EXPIRED):
                return _by_the_clock(context, cause)
            return Unreachable(
                f"the certificate of `{context.server}` is not that of the cluster in `{context.name}`: "
                f"{cause.verify_message or cause.reason}",
                "sign in to the cluster again; a proxy on the way may also have put its own in its place",
            )
        if isinstance(cause, ssl.SSLError) and not _is_cut(cause):
            return Unreachable(
                f"no TLS with `{context.server}`: {cause.reason or cause}",
                "check the `server` in your kubeconfig",
            )
    kind = type(error).__name__
    if any(type(cause).__name__ == "LocalProtocolError" for cause in chain):
        # Its own words have the header, with the token.
        return Unreachable(
            f"the cluster of `{context.name}` cannot be asked: what would be sent is no HTTP",
            "its token in your kubeconfig, or its address, has a line break or another such character: sign in again",
        )
    if "Timeout" in kind:
        why = "it does not answer in time"
    else:
        why = " ".join(str(chain[-1] or error).split())[:300] or kind
    return Unreachable(
        f"the cluster of `{context.name}` at `{context.server}` cannot be reached: {why}",
        f"is a VPN or a tunnel needed? `{context.kubectl} get pods` has to work",
        passes=True,
        is_unsent=kind in _BEFORE_SENDING,
    )


def _is_cut(error: ssl.SSLError) -> bool:
    """Whether the connection went away below TLS: by its own error, or by one of the operating system in OpenSSL's words."""
    return isinstance(error, _CUT_TLS) or getattr(error, "library", None) == "SYS"


def _by_the_clock(context: Context, cause: ssl.SSLCertVerificationError) -> Unreachable:
    """A certificate that is out of its time, or a clock that is."""
    when = "is not valid yet" if cause.verify_code == _NOT_YET_VALID else "has expired"
    now = datetime.now().astimezone().isoformat(timespec="minutes")
    return Unreachable(
        f"the certificate of `{context.server}` {when} by the clock of this machine, which says {now}",
        "set the clock if it is wrong; if it is right, the cluster's certificate has to be made anew",
    )


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def read_status(text: str) -> tuple[str, str]:
    """Reason and message of the `Status` object in an answer's text; both '' where the text is none."""
    try:
        status = json.loads(text)
        return str(status.get("reason") or ""), str(status.get("message") or "")
    except (ValueError, AttributeError, RecursionError):
        return "", ""


def status_of(error: Any) -> tuple[int, str, str]:
    """HTTP status, reason and message in an error that lightkube raised for an answer."""
    status = getattr(error, "status", None)
    response = getattr(error, "response", None)
    code = getattr(status, "code", None) or getattr(response, "status_code", 0) or 0
    return (
        int(code),
        str(getattr(status, "reason", "") or ""),
        str(getattr(status, "message", "") or ""),
    )

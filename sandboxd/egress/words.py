"""Verdicts and attempts in words for a person. Pure.

Names are hostile text: whoever shows a sentence escapes it, and no name is ever put into a command that a
shell would read as more than one word."""

from __future__ import annotations

from sandboxd.egress.names import NotAName, normal
from sandboxd.egress.policy import Policy, Reason, Verdict

CONSEQUENCE = "whatever runs inside may do anything there, sending your files included"
"""The meaning of an allowed name. No gateway without interception can know less."""

DECOY = "the decoy of this sandbox, which looks like a secret, was sent there"

USUAL_PORTS = (80, 443)
"""Those of a name that is given without one."""

OTHER_NAMES = "other names"
"""Those beyond the names whose bytes are counted one by one."""

NOT_COUNTED = "not counted: the gateway is of an earlier version, or its first events are gone"
"""Of the bytes that connections carried."""

_APPROVABLE = ("no-rule", "port", "expired")

_REASONS: dict[str, str] = {
    "allowed": "a rule allows it",
    "service": "a service of the same project",
    "not-a-name": "an address or no host name at all; only names can be allowed",
    "no-rule": "no rule names it",
    "port": "the name is allowed, this port is not",
    "expired": "the approval has ended",
    "denied": "denied by a person, or by a policy that no rule overrides",
    "canary": "a tripwire: nothing has a reason to use it",
    "address": "it resolves to an address that is never dialled; no approval changes that",
    "unresolved": "allowed, but the name does not resolve",
    "unreachable": "allowed, but nothing answers there",
    "upstream": "allowed, but the company's proxy does not lead there",
    "tls": "it is not who it has to be, by TLS",
    "sni": "TLS asked for another name than the one that was dialled, or hid it",
    "host": "the request named another host than the one that was dialled",
    "label-data": "the name looks like data in disguise",
    "client": "whoever asked is no Pod that this gateway serves",
    "full": "too many connections are open",
    "malformed": "it breaks the rules of its protocol in a way that two readers would read in two ways",
}

_DOORS: dict[str, str] = {
    "dns": "name looked up",
    "direct": "connection",
    "http": "HTTP proxy",
    "connect": "HTTP proxy",
    "socks": "SOCKS proxy",
    "port": "connection to a port that nothing is allowed at",
    "ask": "question from inside",
    "credential": "service with a credential",
}

NO_WAY_OUT = ("unresolved", "unreachable")
"""Reasons that have to do with the way, not with the rules."""

_BY_PROXY = (
    "the gateway goes out by the network of the container engine, not by this host's settings: where your network "
    "has a proxy as its way out, name it as `network_proxy` in policy.toml (`sandboxd policy --help`)"
)
_BY_AUTHORITY = (
    "where your network opens TLS, name the certificates of its authority as `network_ca` in policy.toml "
    "(`sandboxd policy --help`)"
)

_OF_AUTHORITY = (18, 19, 20, 21)
"""Codes of a certificate whose authority is not trusted here: self-signed, or the issuer is not known."""

_OF_TIME = (9, 10)
"""Codes of a certificate that does not hold yet, and of one that does not any more (X509_verify_cert_error_string(3))."""


def reason(code: str) -> str:
    """The text for a `policy.Reason`, or another reason of `messages.Attempted`."""
    return _REASONS.get(code, code)


def door(code: str) -> str:
    """The text for the way by which a name was tried."""
    return _DOORS.get(code, code)


def approvable(name: str, code: str) -> bool:
    """Whether an approval of `name` would have changed the outcome."""
    try:
        normal(name)
    except NotAName:
        return False
    return code in _APPROVABLE


def command(name: str, port: int, code: str) -> str:
    """The exact command that would allow the attempt; '' where none does."""
    if not approvable(name, code):
        return ""
    return f"sandboxd egress allow {target(normal(name), port)}"


def target(name: str, port: int) -> str:
    """`name:port`; the name alone where it implies that port, or where only the name was looked up.

    A name without a dot always has its port: alone it would be taken for a group.
    """
    if "." not in name:
        return f"{name}:{port or USUAL_PORTS[-1]}"
    return name if port in (0, *USUAL_PORTS) else f"{name}:{port}"


def verdict(decided: Verdict, policy: Policy, name: str) -> str:
    """A verdict as one sentence."""
    code: Reason = decided.reason
    words = reason(code)
    rule = decided.rule
    if code == "port" and rule is not None:
        ports = ", ".join(str(port) for port in rule.ports)
        return f"{words}: `{rule.pattern}` is allowed at {ports} by {rule.source or 'a rule'}"
    if rule is not None:
        return f"{words}: `{rule.pattern}` by {rule.source or 'a rule'}"
    if code == "denied":
        plain = name.lower().removesuffix(".")
        return f"{words}: `{next(each for each in policy.denied if each.matches(plain))}`"
    return words


def duration(seconds: float) -> str:
    """A length of time in its largest whole unit: `59 s`, `5 min`, `2 h`, `3 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "days"):
            return f"{round(seconds / size)} {unit}"
    return f"{max(round(seconds), 0)} s"


def certificate(code: int, message: str, issuer: str = "") -> str:
    """The reason why a certificate is refused, by the code and the words of the library that verified it.

    :param issuer: who issued the certificate, in the server's words; '' where it is not known
    """
    if code in _OF_TIME:
        return f"{message}; or the clock of this machine is wrong: `date` shows it"
    if issuer and code in _OF_AUTHORITY:
        return f"{message}, issued by `{issuer}`"
    return message


def next_step(code: str, has_proxy: bool) -> str:
    """What to do about an allowed name that was not reached; '' where nothing is known.

    :param has_proxy: whether the way out is a company's proxy already
    """
    if code == "tls":
        return _BY_AUTHORITY
    return _BY_PROXY if code in NO_WAY_OUT and not has_proxy else ""

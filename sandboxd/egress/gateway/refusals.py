"""The answers by which the HTTP proxy refuses a request."""

from __future__ import annotations

from sandboxd.egress import words

_PHRASES = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
_OF_THE_WAY = (*words.NO_WAY_OUT, "upstream")
"""Reasons that programs show in the place of the phrase: most show no more of an answer than its first line."""

_STATUS = {"unresolved": 502, "unreachable": 502, "upstream": 502, "full": 503}


def denied(
    name: str, port: int, reason: str, rule: str = "", detail: str = "", has_proxy: bool = False
) -> bytes:
    """The answer for a name that is denied, or not reached: why, and what somebody outside could do.

    :param has_proxy: whether the way out is a company's proxy
    """
    place = printable(f"{name}:{port}" if port else name)
    lines = [f"{place} was not reached from this sandbox: {words.reason(reason)}"]
    if detail:
        lines.append(printable(detail))
    if rule:
        lines.append(f"rule: {printable(rule)}")
    command = words.command(name, port, reason)
    if command:
        lines.append(f"to allow it, outside of the sandbox: {command}")
    phrase = ""
    if reason in _OF_THE_WAY:
        phrase = printable(": ".join(filter(None, [words.reason(reason), detail])))
    if step := words.next_step(reason, has_proxy):
        lines.append(f"outside of the sandbox: {step}")
    return response(_STATUS.get(reason, 403), "\n".join([*lines, ""]), phrase)


def unreached(
    name: str, port: int, reason: str, detail: str, service: str, has_proxy: bool = False
) -> bytes:
    """The answer for a credential's host that was not reached, or not trusted; `has_proxy` as for `denied`."""
    lines = [f"{printable(f'{name}:{port}')} was not reached: {words.reason(reason)}"]
    if detail:
        lines.append(printable(detail))
    lines.append(f"credential: {service}")
    if step := words.next_step(reason, has_proxy):
        lines.append(f"outside of the sandbox: {step}")
    return response(503 if reason == "full" else 502, "\n".join([*lines, ""]))


def response(status: int, text: str, phrase: str = "") -> bytes:
    """A whole response, the last of its connection.

    :param phrase: printable text in the place of the phrase of HTTP; '' for that
    """
    body = text.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status} {phrase or _PHRASES.get(status, 'Error')}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii", "replace") + body


def printable(text: str) -> str:
    """Hostile text, made harmless for a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:300])

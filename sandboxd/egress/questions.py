"""Questions from inside, as HTTP carries them to `ASK_PORT` of the gateway. Pure.

``POST /ask?name=HOST&port=443&wait=60`` with the reason as the body. The answer is always 200 and
one line of text, since the small clients of small images show nothing of other answers: one of
`Answer`, and after a blank words for a person. A question about the same name and port joins the
one that waits, so a client asks again until it is answered. Nothing inside can answer.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from sandboxd.egress.names import NotAName, normal

PATH = "/ask"
LONGEST_WAIT = 60
"""Seconds of one long poll."""
LONGEST_WHY = 500
"""Bytes of a reason; more is cut."""

_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that are shown as nothing."""

Answer = Literal["open", "waiting", "denied", "refused"]
"""`open`: the rule is in force now. `waiting`: nobody answered yet. `denied`: a person, or a policy,
says no. `refused`: nothing that can be asked."""


class Ask(NamedTuple):
    """One request; `why` is hostile text."""

    name: str
    """As `names.normal` returns it."""
    port: int
    why: str
    wait: int
    """Seconds to hold the answer back while nobody has answered; 0 to answer at once."""


class NotAQuestion(ValueError):
    """The request holds no valid question; the message says why, for whoever sent it."""


def read(target: str, body: bytes) -> Ask:
    """The question in a request.

    :param target: of the request line: path and query
    :raises NotAQuestion: a field is missing, unknown, twice there or not of its form
    """
    try:
        parts = urlsplit(target)
    except ValueError:
        raise NotAQuestion("the target cannot be read") from None
    if parts.path != PATH or parts.netloc:
        raise NotAQuestion(f"only {PATH} answers here")
    try:
        pairs = parse_qsl(
            parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=3
        )
    except ValueError:
        raise NotAQuestion("the query cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs) or not {"name"} <= fields.keys() <= {"name", "port", "wait"}:
        raise NotAQuestion("the query has other fields than `name`, `port` and `wait`")
    try:
        name = normal(fields["name"])
    except NotAName as error:
        raise NotAQuestion(f"the name is {error}") from None
    port = _number(fields.get("port", "443"), 1, 65535, "port")
    wait = _number(fields.get("wait", "0"), 0, 3600, "wait")
    why = body[:LONGEST_WHY].decode("utf-8", "replace")
    return Ask(name, port, why, min(wait, LONGEST_WAIT))


def quotable(why: str) -> str:
    """`why` as a person sees it between quotes: it ends none of ours, and no run of blanks moves a word of it to a
    place where our own words stand.
    """
    text = "".join(" " if char in _BLANKS else char for char in why)
    return " ".join(text.replace("`", "'").replace('"', "'").split())


def answer_line(answer: Answer, words: str = "") -> bytes:
    """The body of an answer."""
    return " ".join([answer, *words.split()]).encode("utf-8", "replace") + b"\n"


def _number(text: str, least: int, most: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise NotAQuestion(f"`{what}` is no whole number from {least} to {most}")
    return int(text)

"""The network with a gateway for the user: one line, and one more for each thing that needs the user."""

from __future__ import annotations

from sandboxd.egress import words
from sandboxd.egress.traffic import Carried, total
from sandboxd.policy.rights import WAITS
from sandboxd.screen import cut, size_text
from sandboxd.status import credentials_text
from sandboxd.status.model import NamesStatus

_MOST_QUESTIONS = 3
_LONGEST_WHY = 160


def rows(names: NamesStatus) -> list[tuple[str, str]]:
    """Labels and texts; they contain hostile names, so they have to be escaped."""
    totals = names.totals
    allowed = ", ".join(names.allowed) or "no name allowed"
    counts = [f"{totals.denied} denied", f"{totals.reached} reached"]
    if totals.lost:
        counts.append(f"{totals.lost} not shown")
    lines = [
        ("network", f"{allowed} · {', '.join(counts)} · `sandboxd egress log`"),
        *_sent(names),
        *behind(names),
        *([("shut", f"nothing is let through: {names.shut}")] if names.shut else []),
    ]
    if names.waiting:
        lines.append(("waits", f"{', '.join(names.waiting)}: {WAITS}"))
    if totals.tripwires:
        times = "once" if totals.tripwires == 1 else f"{totals.tripwires} times"
        lines.append(
            (
                "tripwire",
                f"used {times}, which nothing has a reason to do: look at what runs inside",
            )
        )
    losses = (
        ("uses of a tripwire", totals.lost_tripwires),
        ("connections that were made", totals.lost_reached),
    )
    if any(count for _, count in losses):
        parts = [f"{what}: {count}" for what, count in losses if count]
        lines.append(("lost", f"too many to be shown one by one: {', '.join(parts)}"))
    lines += credentials_text.rows(names.credentials, names.is_recorded)
    denied = [d for d in names.denied if d.reason != "canary"]
    if denied:
        # One name is often looked up and then asked for at a port, for the same reason.
        texts = dict.fromkeys(f"{_denied_name(d.name, d.port)} ({d.words})" for d in denied)
        lines.append(("denied", "; ".join(texts)))
    for question in names.questions[:_MOST_QUESTIONS]:
        target = words.target(question.name, question.port)
        lines.append(
            (
                "asks for",
                f'{target}, "{cut(question.why, _LONGEST_WHY)}": `sandboxd egress allow {target}`, or '
                f"`sandboxd egress deny {question.name}`",
            )
        )
    more = len(names.questions) - _MOST_QUESTIONS
    if more > 0:
        lines.append(("asks for", f"{more} more: `sandboxd egress log`"))
    return lines


def _sent(names: NamesStatus) -> list[tuple[str, str]]:
    if not names.is_recorded:
        return []
    if names.carried is None:
        return [("sent", words.NOT_COUNTED)]
    text = in_words(names.carried)
    return [("sent", text)] if text else []


def in_words(carried: tuple[Carried, ...]) -> str:
    """The bytes that left, and to whom most of them; '' if nothing was carried.

    :param carried: the name that was sent most first; it is hostile text
    """
    whole = total(carried)
    if not whole.bytes_up and not whole.bytes_down:
        return ""
    received = f"; {size_text(whole.bytes_down)} received"
    first = carried[0]
    name = f"`{first.name}`" if first.name else words.OTHER_NAMES
    if len(carried) == 1:
        return f"{size_text(whole.bytes_up)} to {name}{received}"
    several = "more names" if not all(each.name for each in carried) else f"{len(carried)} names"
    return f"{size_text(whole.bytes_up)} to {several}, most to {name}{received}"


def behind(names: NamesStatus) -> list[tuple[str, str]]:
    """The row about a gateway that may let more through than is allowed now; [] if it does not."""
    if not names.behind:
        return []
    return [("too much", f"more may be let through than policy and grants allow: {names.behind}")]


def _denied_name(name: str, port: int) -> str:
    """The denied name, in words; a request that breaks its protocol has none."""
    return words.target(name, port) if name else "(no name)"


def in_short(names: NamesStatus) -> str:
    """The phrase about the network in a project's one line; '' if nothing is open or denied."""
    totals = names.totals
    if totals.tripwires:
        return f"network: tripwire, {totals.denied} denied"
    if names.questions:
        return f"network: {len(names.questions)} asked, {totals.denied} denied"
    return f"network: {totals.denied} denied" if totals.denied else ""

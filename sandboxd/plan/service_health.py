"""`healthcheck` and `depends_on` of a Compose service. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.plan.service import Condition, Health, Need
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from sandboxd.formats.compose.project import Part
    from sandboxd.formats.compose.project import Service as Written

_CONDITIONS: dict[str, Condition] = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PIECE = r"(?<![\d.])(\d++(?:\.\d++)?)(us|ms|s|m|h|d|w)"
_LONGEST_SECONDS = 24 * 3600.0


def needs(written: Written) -> tuple[Need, ...]:
    """The services that have to be ready before this one; of several entries for one name the last counts.

    :raises ValueError: a condition is not valid
    """
    entries: dict[str, Need] = {}
    for part in written.parts.get("depends_on", ()):
        node = yaml.target(part.node)
        for item in node.items if node.kind == "array" else ():
            name = part.file.resolve(part.file.text(item) or "")
            entries[name] = Need(name)
        for key, value in yaml.members(node) if node.kind == "object" else ():
            text = part.file.text(yaml.get(value, "condition")) or "service_started"
            if text not in _CONDITIONS:
                raise ValueError(f"`depends_on` with the condition `{text}`")
            required = part.file.text(yaml.get(value, "required")) != "false"
            entries[str(key.value)] = Need(str(key.value), _CONDITIONS[text], required)
    return tuple(entries.values())


def health(written: Written) -> Health | None:
    """The health check of a service; None for the image's own.

    :raises ValueError: it cannot be parsed
    """
    check: Health | None = None
    for part in written.parts.get("healthcheck", ()):
        check = _over(check or Health(), part)
    return check


def _over(below: Health, part: Part) -> Health:
    def text(key: str) -> str | None:
        written = part.file.text(yaml.get(part.node, key))
        return None if written is None else part.file.resolve(written)

    if text("disable") == "true":
        return Health(("NONE",))

    def seconds(key: str, before: float) -> float:
        written = text(key)
        return before if written is None else duration(written)

    check = below._replace(
        interval=seconds("interval", below.interval),
        timeout=seconds("timeout", below.timeout),
        start_period=seconds("start_period", below.start_period),
        start_interval=seconds("start_interval", below.start_interval),
    )
    if (retries := text("retries")) is not None:
        check = check._replace(retries=_number(retries))
    node = yaml.get(part.node, "test")
    return check if node is None else check._replace(test=_test(part._replace(node=node)))


def _test(part: Part) -> tuple[str, ...]:
    node = yaml.target(part.node)
    if node.kind == "array":
        words = tuple(part.file.fill(part.file.text(item) or "").text for item in node.items)
        if words[:1] not in (("NONE",), ("CMD",), ("CMD-SHELL",)):
            raise ValueError("a health check that begins with none of `CMD`, `CMD-SHELL`, `NONE`")
        return words
    return ("CMD-SHELL", part.file.fill(part.file.text(node) or "").text)


def duration(text: str) -> float:
    """The number of seconds in a text such as ``1m30s``.

    :raises ValueError: it has another form, or is longer than a day
    """
    if text == "0":
        return 0
    if not re.fullmatch(f"({_PIECE})+", text):
        raise ValueError(f"`{text}`, which is no time")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PIECE, text))
    if seconds > _LONGEST_SECONDS:
        raise ValueError(f"`{text}`, which is longer than a day")
    return seconds


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValueError(f"`{text}` retries")
    return int(text)

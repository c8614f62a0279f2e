"""Port numbers: 1 to 65535."""

from __future__ import annotations

HIGHEST_PORT = 65535


def is_port(value: object) -> bool:
    """Whether `value` is an int that is a port number; True and False are not."""
    return type(value) is int and 0 < value <= HIGHEST_PORT


def port_number(text: str) -> int | None:
    """The port that `text` writes in at most five ASCII digits; None where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    number = int(text)
    return number if is_port(number) else None

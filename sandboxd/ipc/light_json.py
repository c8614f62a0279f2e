"""JSON without the module `json`, whose import costs a tenth of a command that the daemon answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encode(value: Any) -> str:
    """`value` as JSON, in ASCII: objects, lists, strings, numbers, truth values and None."""
    from _json import encode_basestring_ascii as quote

    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = [f"{quote(name)}:{encode(item)}" for name, item in value.items()]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join([encode(item) for item in value])}]"
    return repr(value)


def decode(line: bytes) -> Any:
    """The value in a line of JSON.

    :raises ValueError: the line is no JSON
    """
    from _json import make_scanner

    try:
        scanner = make_scanner(_Settings)  # type: ignore[arg-type]
        value, _ = scanner(line.decode("ascii").strip(), 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    return value


class _Settings:
    """The attributes of a decoder that the scanner reads, with the defaults of `json`."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float

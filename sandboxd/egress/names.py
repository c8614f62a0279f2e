"""Host names in the one spelling that the policy, the DNS stub and both proxies compare.

Other spellings are refused, not repaired: one that some parsers take for a name and others for an address is
a way past a filter."""

from __future__ import annotations

from typing import NamedTuple

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
LONGEST_NAME = 253
"""Characters of a host name: RFC 1035, section 3.1, has 255 bytes with the lengths of its parts."""

_LONGEST_LABEL = 63
_LOCAL = "localhost"
_BYTES = frozenset(str(number) for number in range(256))


class NotAName(ValueError):
    """The text is no host name; the message says why, in words that follow "is"."""


class Pattern(NamedTuple):
    """A host, or with `below` each name below it and not the host itself."""

    host: str
    below: bool = False

    def __str__(self) -> str:
        return f"*.{self.host}" if self.below else self.host

    def matches(self, name: str) -> bool:
        """Whether the pattern covers `name`, which `normal` returned."""
        return name.endswith(f".{self.host}") if self.below else name == self.host

    def covers(self, other: Pattern) -> bool:
        """Whether this pattern covers each name that `other` covers."""
        if other.below:
            return self.below and (other.host == self.host or self.matches(other.host))
        return self.matches(other.host)


def normal(text: str) -> str:
    """`text` in lower case and without the dot of the root.

    Letters beyond ASCII are refused here: a config that uses them is read as punycode first.

    :raises NotAName: it is an address in any spelling, this machine, or not a host name
    """
    name = text.lower().removesuffix(".")
    if not name or len(name) > LONGEST_NAME:
        raise NotAName("empty" if not name else f"longer than {LONGEST_NAME} characters")
    labels = name.split(".")
    for label in labels:
        if not label or len(label) > _LONGEST_LABEL:
            raise NotAName("not a host name: a part between dots is empty or too long")
        if not _LABEL.issuperset(label) or label[0] == "-" or label[-1] == "-":
            raise NotAName("not a host name: it may hold letters, digits, `-`, `_` and dots")
    if _is_number(labels[-1]):
        raise NotAName("an address and not a name")
    if labels[-1] == _LOCAL:
        raise NotAName("this machine's own name")
    return name


def address(text: str) -> str:
    """`text`, if it is an IPv4 address in its one spelling, four decimal numbers.

    :raises NotAName: it is no address, or it is spelled in another way
    """
    parts = text.split(".")
    # Compared as texts: `int` reads a number of any length, and digits of other scripts.
    if len(parts) == 4 and all(part in _BYTES for part in parts):
        return text
    raise NotAName("no address of four numbers")


def pattern(text: str) -> Pattern:
    """The host, or for `*.host` the names below it, that a rule means.

    :raises NotAName: it is neither; a wildcard below a single label (`*.com`) is refused, too
    """
    if not text.startswith("*."):
        return Pattern(normal(text))
    host = normal(text[2:])
    if "." not in host:
        raise NotAName(f"too wide: it means each name below `{host}`")
    return Pattern(host, below=True)


def _is_number(label: str) -> bool:
    """Whether parsers of addresses take a name with this last label for a number (WHATWG URL, section 3.5)."""
    return label.isdigit() or (
        label.startswith("0x") and all(digit in "0123456789abcdef" for digit in label[2:])
    )

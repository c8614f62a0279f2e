"""Parses entries of `[network] allow` and `private`: a group, a host or a wildcard, the latter two with or without a
port.
"""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.egress import group, groups
from sandboxd.egress.names import NotAName, Pattern, address, pattern
from sandboxd.egress.policy import Rule
from sandboxd.egress.ports import HIGHEST_PORT, is_port
from sandboxd.egress.suffixes import too_wide
from sandboxd.egress.words import CONSEQUENCE, USUAL_PORTS


class NotAnEntry(ValueError):
    """The text is not a valid entry; the message is a clause that follows "`TEXT`"."""


class Entry(NamedTuple):
    """One entry of a list of names.

    `text` is the entry as written. Either `group` or `pattern` is set; the others are '' and None. `private` tells
    whether private addresses may be dialled.
    """

    text: str
    group: str = ""
    pattern: Pattern | None = None
    ports: tuple[int, ...] = ()
    private: bool = False

    def rules(self, source: str) -> tuple[Rule, ...]:
        """The policy rules of the entry, with `source` as their source; those of a group have the group as theirs."""
        if self.pattern is None:
            return group.load(self.group).rules()
        return (Rule(self.pattern, self.ports, self.private, source),)

    def in_full(self) -> str:
        """The entry with all its hosts and ports, for a person."""
        hosts = [f"{rule.pattern}:{','.join(map(str, rule.ports))}" for rule in self.rules("")]
        return f"{self.group} ({', '.join(hosts)})" if self.group else hosts[0]

    def admits(self) -> str:
        """What programs inside can do by the entry, for a person."""
        return group.load(self.group).admits if self.group else CONSEQUENCE


def entry(text: str) -> Entry:
    """Parse an entry of `allow`.

    :raises NotAnEntry: it is not valid, or covers names of many owners
    """
    if text in groups.names():
        return Entry(text, group=text)
    host, ports = _with_ports(text)
    if "." not in host and ":" not in text and host.isascii() and host != "*":
        raise NotAnEntry(
            f"is neither a group nor a host: a host has a dot or a port{_suggestion(host)}"
        )
    if host in groups.names():
        raise NotAnEntry(f"is a group with a port: `{host}` has ports of its own")
    return Entry(text, pattern=_pattern(host), ports=ports)


def private_entry(text: str) -> Entry:
    """Parse an entry of `private`: a host that may resolve to private addresses, or a private address.

    :raises NotAnEntry: it is not valid
    """
    host, ports = _with_ports(text)
    try:
        literal = address(host)
    except NotAName:
        return Entry(text, pattern=_pattern(host), ports=ports, private=True)
    # Late: it brings the reader of addresses along.
    from sandboxd.egress.addresses import judge

    judgement = judge(literal)
    if judgement.kind != "private":
        why = f"{judgement.why}, never dialled" if judgement.why else "a public address"
        raise NotAnEntry(f"is {why}; `private` is for private addresses and names of them")
    return Entry(text, pattern=Pattern(literal), ports=ports, private=True)


def _suggestion(text: str) -> str:
    """The group that was perhaps meant, '' for none."""
    from difflib import get_close_matches

    names = sorted(groups.names())
    close = [name for name in names if text and name.startswith(text)]
    close = close or get_close_matches(text[:40], names, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _with_ports(text: str) -> tuple[str, tuple[int, ...]]:
    """The host and its ports; an IPv6 address stays whole, to be refused as what it is."""
    if "/" in text or "@" in text:
        raise NotAnEntry("is a URL and not a host: name the host alone")
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host:
        return text, USUAL_PORTS
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and port == str(int(port))):
        raise NotAnEntry(f"has no number of a port after the colon: `{port}`")
    number = int(port)
    if not is_port(number):
        raise NotAnEntry(f"has the port {number}: ports are 1 to {HIGHEST_PORT}")
    return host, (number,)


def _pattern(host: str) -> Pattern:
    if not host.isascii():
        spelled = _punycode(host)
        raise NotAnEntry(
            "has letters beyond ASCII, which can look like others"
            + (f"; in DNS it is `{spelled}`: write that if it is what you mean" if spelled else "")
        )
    if host == "*":
        raise NotAnEntry('is too wide: it means every name; that is `mode = "open"`')
    if ":" in host:
        raise NotAnEntry("is an IPv6 address; name the host that has it")
    try:
        read = pattern(host)
    except NotAName as error:
        hint = "; `private` takes private IPv4 addresses" if "address" in str(error) else ""
        raise NotAnEntry(f"is {error}{hint}") from None
    wide = too_wide(read)
    if wide:
        raise NotAnEntry(f"is {wide}; name a host, or a wildcard below a name that has one owner")
    return read


def _punycode(host: str) -> str:
    """The host name in punycode, as DNS has it; '' where there is none."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""

"""Messages of the domain name system (RFC 1035), as the stub and the resolver read and write them."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from sandboxd.egress.names import LONGEST_NAME

A, CNAME, AAAA = 1, 5, 28
IN = 1
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3

_HEADER = struct.Struct(">HHHHHH")
_LONGEST_LABEL, _MOST_ALIASES, _MOST_RECORDS = 63, 8, 128
_RESPONSE, _OPCODE, _TRUNCATED = 0x8000, 0x7800, 0x0200
_RECURSION = 0x0180  # desired (copied) and available


class Malformed(ValueError):
    """The bytes are no such message, or not the answer to this question."""


class OtherCase(Malformed):
    """It is the answer, but for the case of letters, which a few servers do not repeat."""


class Question(NamedTuple):
    """The question of a client's query."""

    id: int
    name: str
    """In lower case, without the dot of the root; not yet known to be a host name."""
    type: int
    section: bytes
    """The question as it was sent, for the reply: its letters' case is part of it."""


class Answer(NamedTuple):
    """The answer of a server to a query."""

    code: int
    truncated: bool
    addresses: tuple[str, ...]
    """Of the name, or of where its aliases lead to in the same message."""
    seconds: int
    """Seconds that all of it holds."""


def read_question(packet: bytes) -> Question:
    """The question of a query.

    :raises Malformed: it is anything else than one plain question of the internet class
    """
    if len(packet) < 17 or len(packet) > 512 + 65:
        raise Malformed("not of a query's size")
    ident, flags, questions, answers, authorities, additional = _HEADER.unpack_from(packet)
    if flags & (_RESPONSE | _OPCODE | _TRUNCATED) or (questions, answers, authorities) != (1, 0, 0):
        raise Malformed("not a query of one question")
    if additional > 2:
        raise Malformed("too many additional records")
    name, end = _read_plain_name(packet, 12)
    if end + 4 > len(packet):
        raise Malformed("cut off")
    kind, network = struct.unpack_from(">HH", packet, end)
    if network != IN:
        raise Malformed("not of the internet class")
    return Question(ident, name, kind, packet[12 : end + 4])


def reply(question: Question, code: int, address: str | None = None, seconds: int = 0) -> bytes:
    """The bytes that answer `question`: with one address, or with none."""
    flags = _RESPONSE | _RECURSION | code
    head = _HEADER.pack(question.id, flags, 1, 1 if address else 0, 0, 0)
    if address is None:
        return head + question.section
    record = struct.pack(">HHHIH", 0xC00C, A, IN, seconds, 4) + socket.inet_aton(address)
    return head + question.section + record


def query(ident: int, name: str, kind: int, upper: int = 0) -> bytes:
    """A question for a server.

    :param upper: its bits say which letters are sent in upper case, which the answer must repeat
    """
    spelling = "".join(
        letter.upper() if upper >> position & 1 else letter for position, letter in enumerate(name)
    )
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in spelling.split("."))
    return _HEADER.pack(ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, IN)


def read_answer(packet: bytes, asked: bytes) -> Answer:
    """The addresses in a message that answers `asked`, a query made by `query`.

    :raises OtherCase: it repeats the name in other letters
    :raises Malformed: it is not the answer to exactly that question
    """
    section = asked[12:]
    repeated = packet[12 : 12 + len(section)]
    if len(packet) < 12 or packet[:2] != asked[:2] or repeated.lower() != section.lower():
        raise Malformed("the answer to another question")
    _, flags, questions, count, _, _ = _HEADER.unpack_from(packet)
    if not flags & _RESPONSE or flags & _OPCODE or questions != 1:
        raise Malformed("not an answer")
    if repeated != section:
        raise OtherCase("the name in other letters")
    code, truncated = flags & 15, bool(flags & _TRUNCATED)
    if truncated or code:
        return Answer(code, truncated, (), 0)
    wanted = struct.unpack_from(">H", section, len(section) - 4)[0]
    aliases: dict[str, tuple[str, int]] = {}
    addresses: dict[str, list[tuple[str, int]]] = {}
    at = 12 + len(section)
    for _ in range(min(count, _MOST_RECORDS)):
        owner, kind, seconds, start, at = _read_record(packet, at)
        if kind == CNAME:
            aliases.setdefault(owner, (_read_name(packet, start)[0], seconds))
        elif kind == wanted and at - start == (4 if kind == A else 16):
            family = socket.AF_INET if kind == A else socket.AF_INET6
            address = socket.inet_ntop(family, packet[start:at])
            addresses.setdefault(owner, []).append((address, seconds))
    owner, lifetimes = _read_plain_name(asked, 12)[0], []
    for _ in range(_MOST_ALIASES):
        if owner not in aliases:
            break
        owner, seconds = aliases[owner]
        lifetimes.append(seconds)
    records = addresses.get(owner, [])
    lifetimes += [seconds for _, seconds in records]
    return Answer(code, False, tuple(address for address, _ in records), min(lifetimes, default=0))


def _read_record(packet: bytes, at: int) -> tuple[str, int, int, int, int]:
    """Owner, type, lifetime, and where the data starts and ends."""
    owner, at = _read_name(packet, at)
    if at + 10 > len(packet):
        raise Malformed("cut off")
    kind, network, seconds, size = struct.unpack_from(">HHIH", packet, at)
    start = at + 10
    if start + size > len(packet):
        raise Malformed("cut off")
    # RFC 2181, section 8: a lifetime with the highest bit set is none.
    return (
        owner,
        kind if network == IN else 0,
        seconds if seconds < 2**31 else 0,
        start,
        start + size,
    )


def _read_plain_name(packet: bytes, at: int) -> tuple[str, int]:
    """A name without pointers, and where it ends."""
    name, end = _read_name(packet, at)
    if end - at != len(name) + 2 and name:
        raise Malformed("a pointer in a question")
    return name, end


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    """A name in lower case, and where what follows it starts. Pointers lead backwards only."""
    labels: list[str] = []
    end, lowest, size = 0, at, 0
    while True:
        if at >= len(packet):
            raise Malformed("cut off")
        length = packet[at]
        if length >= 0xC0:
            if at + 1 >= len(packet):
                raise Malformed("cut off")
            end = end or at + 2
            at = (length & 0x3F) << 8 | packet[at + 1]
            if at >= lowest:
                raise Malformed("a pointer that does not lead back")
            lowest = at
            continue
        if length > _LONGEST_LABEL or at + 1 + length > len(packet):
            raise Malformed("not a label")
        if not length:
            return ".".join(labels), end or at + 1
        labels.append(_label(packet[at + 1 : at + 1 + length]))
        size += length + 1
        if size > LONGEST_NAME + 1:
            raise Malformed("a name that is too long")
        at += 1 + length


def _label(data: bytes) -> str:
    """A label as text; one with a dot in it is refused, since it would read as two."""
    if not all(0x20 < byte < 0x7F and byte != 0x2E for byte in data):
        raise Malformed("not a host name")
    return data.decode("ascii").lower()

"""Messages of the domain name system: read strictly, and never with another error than `Malformed`."""

from __future__ import annotations

import contextlib
import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.gateway import dns
from sandboxd.egress.gateway.dns import Malformed

ASKED = dns.query(7, "www.example.org", dns.A, upper=0b101)
SECTION = ASKED[12:]


def answer(*records: bytes, flags: int = 0x8180, section: bytes = SECTION) -> bytes:
    return struct.pack(">HHHHHH", 7, flags, 1, len(records), 0, 0) + section + b"".join(records)


def record(owner: bytes, kind: int, data: bytes, seconds: int = 60) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, seconds, len(data)) + data


QUESTION = b"\xc0\x0c"
ADDRESS = record(QUESTION, dns.A, b"\x5d\xb8\x00\x01")


def test_a_query_is_read_as_it_was_written() -> None:
    question = dns.read_question(ASKED)
    assert (question.id, question.name, question.type) == (7, "www.example.org", dns.A)
    assert question.section.startswith(b"\x03WwW\x07example")


def test_a_reply_repeats_the_letters_of_the_question() -> None:
    packet = dns.reply(dns.read_question(ASKED), dns.NO_ERROR, "198.18.16.1", 5)
    assert dns.read_answer(packet, ASKED) == dns.Answer(0, False, ("198.18.16.1",), 5)


def test_a_reply_without_an_address_has_none() -> None:
    packet = dns.reply(dns.read_question(ASKED), dns.NO_SUCH_NAME)
    assert dns.read_answer(packet, ASKED) == dns.Answer(3, False, (), 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ASKED[:-1],
        ASKED[:2] + b"\x81" + ASKED[3:],  # an answer
        ASKED[:2] + b"\x09" + ASKED[3:],  # another operation
        ASKED[:5] + b"\2" + ASKED[6:],  # two questions
        ASKED[:7] + b"\1" + ASKED[8:],  # an answer in a question
        ASKED[:-1] + b"\3",  # class CHAOS
        ASKED[:12] + b"\3a.b" + ASKED[16:],  # a dot within a label
        ASKED[:12] + b"\3a\0b" + ASKED[16:],
        ASKED[:12] + b"\xc0\x0c" + ASKED[14:],  # a pointer to itself
        ASKED + bytes(600),
    ],
)
def test_what_is_no_plain_query_is_dropped(packet: bytes) -> None:
    with pytest.raises(Malformed):
        dns.read_question(packet)


def test_aliases_are_followed_within_the_answer() -> None:
    alias = record(QUESTION, dns.CNAME, b"\1x\3org\0", 30)
    address = record(b"\1X\3org\0", dns.A, b"\x5d\xb8\x00\x01")
    assert dns.read_answer(answer(alias, address), ASKED).addresses == ("93.184.0.1",)
    assert dns.read_answer(answer(alias, address), ASKED).seconds == 30


@pytest.mark.parametrize(
    "records",
    [
        [record(b"\5other\0", dns.A, b"\x5d\xb8\x00\x01")],  # of a name that was not asked for
        [record(QUESTION, dns.CNAME, QUESTION)],  # an alias of itself
        [record(QUESTION, dns.A, b"\x5d\xb8\x00")],
        [record(QUESTION, dns.AAAA, bytes(16))],
    ],
)
def test_other_records_are_no_address_of_the_name(records: list[bytes]) -> None:
    assert dns.read_answer(answer(*records), ASKED).addresses == ()


@pytest.mark.parametrize(
    "packet",
    [
        answer(ADDRESS, section=SECTION.lower()),  # the letters' case is not that of the question
        b"\0\x08" + answer(ADDRESS)[2:],  # another id
        answer(ADDRESS, flags=0x0100),  # a question
        answer(ADDRESS)[:-1],
    ],
)
def test_an_answer_to_another_question_is_none(packet: bytes) -> None:
    with pytest.raises(Malformed):
        dns.read_answer(packet, ASKED)


def test_a_truncated_answer_says_so() -> None:
    assert dns.read_answer(answer(flags=0x8380), ASKED).truncated


def test_a_long_chain_of_aliases_ends() -> None:
    names = [b"\2a%d\0" % number for number in range(10)]
    owners = [QUESTION, *names]
    chain = [record(owners[at], dns.CNAME, name) for at, name in enumerate(names)]
    last = record(names[-1], dns.A, b"\x5d\xb8\x00\x01")
    assert dns.read_answer(answer(*chain, last), ASKED).addresses == ()


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (dns.read_question, lambda packet: dns.read_answer(packet, ASKED)):
        with contextlib.suppress(Malformed):
            read(data)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 5))
def test_no_records_raise_anything_else(data: bytes, count: int) -> None:
    head = struct.pack(">HHHHHH", 7, 0x8180, 1, count, 0, 0)
    try:
        answer = dns.read_answer(head + SECTION + data, ASKED)
    except Malformed:
        return
    for address in answer.addresses:
        socket.inet_aton(address)

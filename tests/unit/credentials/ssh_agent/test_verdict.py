"""Which logins are signed: by a chosen key, for the session with a bound host, and nothing else."""

from __future__ import annotations

import pytest

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.verdict import Session, judge
from sandboxd.credentials.ssh_agent.wire import Bind, Malformed, string
from tests.unit.credentials.ssh_agent.clients import (
    CHOSEN,
    FOREIGN_KEY,
    HOST_KEY,
    OTHER,
    SESSION,
    bind,
    choice,
    sign,
)


def why(content: bytes, claim: Bind | None, is_verified: bool = True) -> str:
    session = None if claim is None else Session(claim, is_verified)
    return judge(choice(), session, wire.login(content)).why


def test_a_login_with_a_bound_host_is_signed() -> None:
    verdict = judge(choice(), Session(bind(), True), wire.login(sign()))
    assert verdict == ("", "forge.test", wire.fingerprint(CHOSEN))


def test_one_that_names_its_host_needs_nobody_who_verifies_it() -> None:
    assert why(sign(), bind(), is_verified=False) == ""
    assert why(sign(host_key=None), bind()) == ""
    assert "nobody verified" in why(sign(host_key=None), bind(), is_verified=False)


@pytest.mark.parametrize(
    ("content", "claim", "reason"),
    [
        (sign(key=OTHER), bind(), "none of those that were chosen"),
        (sign(), None, "does not say which host"),
        (sign(), bind(is_forwarding=True), "was forwarded"),
        (sign(host_key=FOREIGN_KEY), bind(FOREIGN_KEY), "the host is none of those"),
        (sign(host_key=FOREIGN_KEY), bind(), "another host than the one"),
        (sign(session=b"t" * 32), bind(), "another session"),
        (sign(service=b"ssh-userauth"), bind(), "no login"),
        (sign(kind=51), bind(), "no login"),
        (sign(has_signature=False), bind(), "no login"),
        (sign(inner_key=OTHER), bind(), "no login"),
        (sign(more=b"x"), bind(), "no login"),
        (string(CHOSEN) + string(b"SSHSIG" + string(b"git")) + bytes(4), bind(), "no login"),
        (string(CHOSEN) + string(SESSION) + bytes(4), bind(), "no login"),
    ],
)
def test_everything_else_is_refused_in_words(
    content: bytes, claim: Bind | None, reason: str
) -> None:
    assert reason in why(content, claim)


def test_a_foreign_host_is_named_by_its_key() -> None:
    verdict = judge(choice(), Session(bind(FOREIGN_KEY), True), wire.login(sign()))
    assert verdict.host == wire.fingerprint(FOREIGN_KEY)


@pytest.mark.parametrize(
    "content", [b"", string(CHOSEN), string(CHOSEN) + b"\xff\xff\xff\xff", sign() + b"x"]
)
def test_what_is_no_message_is_none(content: bytes) -> None:
    with pytest.raises(Malformed):
        wire.login(content)


def test_another_extension_names_no_host() -> None:
    assert wire.bind(string(b"query")) is None
    assert wire.bind(wire.bind_content(bind())) == bind()
    with pytest.raises(Malformed):
        wire.bind(wire.bind_content(bind())[:-1])
    assert HOST_KEY in wire.bind_content(bind())

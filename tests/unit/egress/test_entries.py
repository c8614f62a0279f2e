"""Entries of `[network] allow` and `private`, and the words for what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress.entries import NotAnEntry, entry, private_entry
from sandboxd.egress.names import Pattern


@pytest.mark.parametrize(
    ("text", "pattern", "ports"),
    [
        ("example.org", Pattern("example.org"), (80, 443)),
        ("Example.ORG.", Pattern("example.org"), (80, 443)),
        ("example.org:443", Pattern("example.org"), (443,)),
        ("*.example.org", Pattern("example.org", below=True), (80, 443)),
        ("*.example.co.uk:443", Pattern("example.co.uk", below=True), (443,)),
        ("db.corp:5432", Pattern("db.corp"), (5432,)),
        ("db:5432", Pattern("db"), (5432,)),
        ("xn--bcher-kva.example", Pattern("xn--bcher-kva.example"), (80, 443)),
    ],
)
def test_hosts_with_and_without_ports(text: str, pattern: Pattern, ports: tuple[int, ...]) -> None:
    read = entry(text)
    assert (read.pattern, read.ports, read.private) == (pattern, ports, False)
    (rule,) = read.rules("sandboxd.toml")
    assert (rule.pattern, rule.ports, rule.source) == (pattern, ports, "sandboxd.toml")


def test_a_group_stands_for_its_hosts_and_their_ports() -> None:
    read = entry("github")
    assert read.group == "github" and read.pattern is None
    ports = {str(rule.pattern): rule.ports for rule in read.rules("sandboxd.toml")}
    assert ports["github.com"] == (22, 443) and ports["api.github.com"] == (443,)
    assert read.in_full().startswith("github (github.com:22,443, ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*", "every name"),
        ("*.com", "too wide"),
        ("*.co.uk", "anybody may have a name below `co.uk`"),
        ("*.github.io", "anybody may have a name below `github.io`"),
        ("*.amazonaws.com", "too wide"),
        ("*.foo.ck", "too wide"),
        ("a.*.example.org", "not a host name"),
        ("bücher.example", "in DNS it is `xn--bcher-kva.example`"),
        ("аpple.com", "in DNS it is `xn--pple-43d.com`"),
        ("1.2.3.4", "an address and not a name; `private` takes"),
        ("127.1", "an address"),
        ("0x7f.1", "an address"),
        ("2130706433:80", "an address"),
        ("[::1]:443", "IPv6 address"),
        ("::1", "IPv6 address"),
        ("localhost:80", "this machine's own name"),
        ("a.localhost", "this machine's own name"),
        ("example.org:0", "ports are 1 to 65535"),
        ("example.org:65536", "ports are 1 to 65535"),
        ("example.org:0443", "no number of a port"),
        ("example.org:https", "no number of a port"),
        ("example.org:٤٤٣", "no number of a port"),
        ("example.org:", "no number of a port"),
        ("https://example.org/x", "a URL and not a host"),
        ("https://example.org:443", "a URL and not a host"),
        ("example.org/x", "a URL and not a host"),
        ("user@example.org", "a URL and not a host"),
        ("github:443", "is a group with a port"),
        ("", "neither a group nor a host"),
        ("pypy", "neither a group nor a host"),
    ],
)
def test_what_is_no_entry_says_why(text: str, why: str) -> None:
    with pytest.raises(NotAnEntry) as refused:
        entry(text)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "group"), [("pypy", "pypi"), ("githb", "github"), ("hugging", "huggingface")]
)
def test_a_misspelt_group_is_told_by_its_name(text: str, group: str) -> None:
    with pytest.raises(NotAnEntry, match=f"; did you mean `{group}`"):
        entry(text)


@pytest.mark.parametrize("text", ["*.com", "", "xxxxxxxx"])
def test_what_is_like_no_group_suggests_none(text: str) -> None:
    with pytest.raises(NotAnEntry) as refused:
        entry(text)
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize("text", ["10.1.2.3:5432", "192.168.7.1", "100.64.0.9:53"])
def test_a_private_address_is_an_entry_of_private_alone(text: str) -> None:
    read = private_entry(text)
    assert read.private and read.rules("x")[0].private
    with pytest.raises(NotAnEntry, match="`private` takes private IPv4 addresses"):
        entry(text)


@pytest.mark.parametrize("text", ["db:5432", "db", "db.corp.example", "*.corp.example:443"])
def test_a_name_of_private_may_lead_to_a_private_address(text: str) -> None:
    assert private_entry(text).rules("x")[0].private


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("169.254.169.254:80", "link-local"),
        ("100.100.100.200", "metadata service"),
        ("8.8.8.8", "a public address"),
        ("10.1.2", "an address"),
        ("010.1.2.3", "an address"),
        ("fd00::1", "IPv6 address"),
        ("*.com", "too wide"),
        ("", "empty"),
    ],
)
def test_what_is_never_dialled_is_no_entry_of_private(text: str, why: str) -> None:
    with pytest.raises(NotAnEntry) as refused:
        private_entry(text)
    assert why in str(refused.value)


@given(st.text(max_size=30))
def test_whatever_is_read_is_one_group_or_one_pattern(text: str) -> None:
    for read in (entry, private_entry):
        try:
            parsed = read(text)
        except NotAnEntry as refused:
            assert str(refused)
            continue
        assert bool(parsed.group) is (parsed.pattern is None)
        assert parsed.group or all(0 < port < 65536 for port in parsed.ports)

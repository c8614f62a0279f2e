"""The names of credentials: a service that ships, and maybe an account."""

from __future__ import annotations

import re

import pytest

from sandboxd.credentials.name import Name, NotACredential, UnknownService, parse, pattern


@pytest.mark.parametrize(
    ("text", "name"),
    [("github", Name("github")), ("github:work", Name("github", "work"))],
)
def test_a_name_is_read_and_written(text: str, name: Name) -> None:
    assert parse(text) == name
    assert str(name) == text


@pytest.mark.parametrize("text", ["", "nothing", "GitHub", "../github", "github/../x", ":work"])
def test_what_is_no_service_is_said(text: str) -> None:
    with pytest.raises(UnknownService, match="names no service"):
        parse(text)


@pytest.mark.parametrize("text", ["github:", "github:../x", "github:a b", "github:a:b", "github:é"])
def test_what_is_no_account_is_said(text: str) -> None:
    with pytest.raises(NotACredential, match="no account"):
        parse(text)
    assert not re.fullmatch(pattern(), text)

"""The secrets of a start: bound to their service, or missing in words; a required one stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.credentials import records, services, uses
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.credentials.resolve import resolve
from sandboxd.egress import broker_wire
from sandboxd.errors import EnvironmentFailure

TEXT = "marked-51cd"
GITHUB, WORK, NPM = Name("github"), Name("github", "work"), Name("npm")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    authorities = tmp_path / "ca.pem"
    authorities.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SSL_CERT_FILE": str(authorities),
        "TOKEN": TEXT,
    }


def say_where(environ: dict[str, str], *names: Name, variable: str = "TOKEN") -> None:
    for name in names:
        records.put(environ, Record(name, "environment", (variable,)))


def test_each_endpoint_gets_a_binding_that_the_gateway_takes(environ: dict[str, str]) -> None:
    say_where(environ, GITHUB, NPM)
    planned = uses.assign([GITHUB, NPM], ())
    resolved = resolve(planned, environ)
    assert resolved.missing == ()
    bindings = resolved.credentials.bindings
    assert [(each.service, each.host) for each in bindings] == [
        ("github-git", "github.com"),
        ("github-api", "api.github.com"),
        ("npm", bindings[2].host),
    ]
    assert [each.port for each in bindings] == [d.port for use in planned for d in use.doors]
    assert bindings[1].value == f"Bearer {TEXT}"
    written = broker_wire.credentials_to_json(resolved.credentials)
    read = broker_wire.credentials_from_json(written["bindings"], written["roots"])
    assert read == resolved.credentials
    assert TEXT not in repr(resolved)


@pytest.mark.parametrize("service", sorted({*services.names()} - {"ssh"}))
def test_every_service_is_one_that_the_gateway_takes(environ: dict[str, str], service: str) -> None:
    say_where(environ, Name(service))
    resolved = resolve(uses.assign([Name(service)], ()), environ)
    written = broker_wire.credentials_to_json(resolved.credentials)
    read = broker_wire.credentials_from_json(written["bindings"], written["roots"])
    assert read.bindings == resolved.credentials.bindings != ()


def test_what_is_missing_is_named_and_the_rest_goes_on(environ: dict[str, str]) -> None:
    say_where(environ, NPM)
    resolved = resolve(uses.assign([GITHUB, NPM], ()), environ)
    (missing,) = resolved.missing
    assert (missing.name, missing.hint) == (GITHUB, "`sandboxd credentials add github`")
    assert [each.service for each in resolved.credentials.bindings] == ["npm"]


def test_a_required_one_stops_the_start(environ: dict[str, str]) -> None:
    say_where(environ, NPM, variable="NOT_SET")
    with pytest.raises(EnvironmentFailure, match="`npm` is required: the variable `NOT_SET`"):
        resolve(uses.assign([GITHUB, NPM], {NPM}), environ)


def test_the_only_account_needs_no_name_and_of_two_one_has_to(environ: dict[str, str]) -> None:
    planned = uses.assign([GITHUB], ())
    say_where(environ, WORK)
    assert len(resolve(planned, environ).credentials.bindings) == 2
    say_where(environ, Name("github", "home"))
    (missing,) = resolve(planned, environ).missing
    assert "several accounts of `github`: `github:home`, `github:work`" in missing.why
    assert resolve(uses.assign([WORK], ()), environ).missing == ()


def test_without_authorities_nobody_gets_a_secret(environ: dict[str, str]) -> None:
    say_where(environ, NPM)
    broken = {**environ, "SSL_CERT_FILE": "/nothing"}
    resolved = resolve(uses.assign([GITHUB, NPM], ()), broken)
    assert resolved.credentials.bindings == ()
    assert {each.name for each in resolved.missing} == {GITHUB, NPM}
    with pytest.raises(EnvironmentFailure, match="are not known"):
        resolve(uses.assign([NPM], {NPM}), broken)

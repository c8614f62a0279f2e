"""A service that the user describes in a file of their own: taken as one that ships, or refused in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.credentials import name, own_services, records, service, uses
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.credentials.resolve import resolve
from sandboxd.egress import broker_wire
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.errors import UsageError

TEXT = """
title = "Packages of the company"

[[endpoint]]
name = "index"
host = "packages.example.com"
port = 8443
header = "Authorization"
scheme = "bearer"
methods = ["GET"]
paths = ["/simple/"]

[environment]
PIP_INDEX_URL = "{index}/simple/"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    services = tmp_path / "sandboxd/services"
    services.mkdir(parents=True)
    return services


def describe(folder: Path, text: str = TEXT, file: str = "my-packages.toml") -> Path:
    (folder / file).write_text(text)
    (folder / file).chmod(0o600)
    return folder / file


def test_an_own_service_is_one_as_any_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(folder)
    monkeypatch.setenv("TOKEN", "marked-9a")
    authorities = folder / "ca.pem"
    authorities.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    mine = name.parse("my-packages")
    records.put(os.environ, Record(mine, "environment", ("TOKEN",)))
    (use,) = uses.assign([mine], ())
    assert use.rights() == "packages.example.com (GET; /simple/)"
    assert uses.environment([use], "/p") == [
        f"PIP_INDEX_URL=http://{GATEWAY_NAME}:{use.doors[0].port}/simple/"
    ]
    (binding,) = resolve([use], os.environ).credentials.bindings
    assert (binding.service, binding.host_port) == ("my-packages", 8443)
    assert binding.value == "Bearer marked-9a"
    written = broker_wire.credentials_to_json(broker_wire.Credentials((binding,), ""))
    assert broker_wire.credentials_from_json(written["bindings"], "").bindings == (binding,)
    assert name.parse("my-packages:work") == Name("my-packages", "work")


@pytest.mark.parametrize("text", ["my-other", "my-", "my-../packages", "packages", "my-Packages"])
def test_what_nobody_described_is_none(folder: Path, text: str) -> None:
    describe(folder)
    with pytest.raises(name.UnknownService):
        name.parse(text)
    with pytest.raises(KeyError):
        service.load(text)


def test_none_hides_one_that_ships(folder: Path) -> None:
    describe(folder, file="github.toml")
    assert own_services.names() == ()
    assert service.load("github").endpoints[0].host == "github.com"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("[[endpoint]]", "[[endpoints]]", "must have"),
        ('host = "packages.example.com"\n', "", "must have"),
        ('host = "packages.example.com"', 'host = "packages example"', "no host name"),
        ("port = 8443", "port = 84430", "no port"),
        ('scheme = "bearer"', 'scheme = "digest"', "scheme"),
        ('name = "index"', f'name = "{"i" * 40}"', "too long"),
        ("[environment]", '[files]\n"/etc/passwd" = "x"\n[environment]', "`files` is not for"),
        ("title", "titel", "must have"),
        ("title =", "title", "does not describe"),
        ("[[endpoint]]", "agent = true\n[[endpoint]]", "`agent` is not for"),
    ],
)
def test_a_file_that_describes_none_is_refused_in_words(
    folder: Path, before: str, after: str, reason: str
) -> None:
    path = describe(folder, TEXT.replace(before, after, 1))
    with pytest.raises(UsageError) as refused:
        service.load("my-packages")
    assert reason in refused.value.message and str(path) in refused.value.message


def test_a_file_of_others_is_not_read(folder: Path) -> None:
    describe(folder).chmod(0o666)
    with pytest.raises(UsageError, match="can be written by others"):
        service.load("my-packages")
    (folder / "my-link.toml").symlink_to(folder / "my-packages.toml")
    with pytest.raises(UsageError, match="no regular file"):
        service.load("my-link")

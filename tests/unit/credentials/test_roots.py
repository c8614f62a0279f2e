"""Where the authorities of a machine are looked for."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandboxd.credentials import roots
from tests import certificates

# Debian and Ubuntu; Fedora and RHEL; openSUSE; Alpine, macOS and the BSDs.
USUAL = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
]


def found(monkeypatch: pytest.MonkeyPatch, own: str | None, *there: str) -> str:
    paths = SimpleNamespace(cafile=own)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(os.path, "isfile", lambda path: path in there)
    return roots._path({})


@pytest.mark.parametrize("path", USUAL)
def test_each_system_has_them_at_its_own_place(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    assert found(monkeypatch, None, path) == path


def test_where_python_has_them_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, "/opt/ca.pem", "/opt/ca.pem", *USUAL) == "/opt/ca.pem"
    assert found(monkeypatch, "/gone", *USUAL) == USUAL[0]
    assert found(monkeypatch, None) == ""


def test_certificates_of_the_policys_network_are_beside_them(tmp_path: Path) -> None:
    for name in ("machine", "corp"):
        certificates.self_signed(tmp_path, name, key=f"{name}.key", certificate=f"{name}.pem")
    machine, corp = ((tmp_path / f"{name}.pem").read_text() for name in ("machine", "corp"))
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "SSL_CERT_FILE": str(tmp_path / "machine.pem")}
    assert roots.pem(environ) == machine
    policy = tmp_path / "sandboxd/policy.toml"
    policy.parent.mkdir()
    policy.write_text(f'network_ca = "{tmp_path}/corp.pem"\n')
    assert roots.pem(environ) == machine + corp

"""The trust store as Java reads it: `keytool -list` of OpenJDK 17 showed each entry."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from sandboxd.credentials.java_trust_store import PASSWORD, trust_store
from tests import certificates


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    for name in ("one", "other"):
        certificates.self_signed(tmp_path, name, key=f"{name}.key", certificate=f"{name}.pem")
    return [(tmp_path / f"{name}.pem").read_text() for name in ("one", "other")]


def entries_of(data: bytes) -> dict[str, bytes]:
    """As `sun.security.provider.JavaKeyStore.engineLoad` reads it."""
    assert data[:12] == bytes.fromhex("feedfeed 00000002 00000002")
    at, entries = 12, {}
    for _ in range(2):
        assert data[at : at + 4] == bytes.fromhex("00000002"), "a trusted certificate"
        end = at + 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        alias, kind = data[at + 6 : end].decode(), data[end + 8 : end + 15]
        assert kind == b"\0\5X.509"
        size = int.from_bytes(data[end + 15 : end + 19], "big")
        at = end + 19 + size
        entries[alias] = data[end + 19 : at]
    salted = PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + data[:at]
    assert data[at:] == hashlib.sha1(salted, usedforsecurity=False).digest()
    return entries


def test_java_reads_each_certificate_under_a_name_of_its_own(texts: list[str]) -> None:
    entries = entries_of(trust_store(texts))
    assert list(entries.values()) == [ssl.PEM_cert_to_DER_cert(text) for text in texts]
    assert trust_store(texts) == trust_store(iter(texts)), "the same bytes for the same content"

"""Whose key it is: the fingerprint, and what is refused."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import openpgp, packages


def make_key(home: Path, name: str) -> tuple[str, str]:
    """A new key: its armoured form and the fingerprint that gpg says it has."""
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    home.mkdir(mode=0o700, exist_ok=True)
    quick = ["--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never"]
    try:
        subprocess.run([*gpg, *quick], check=True, capture_output=True)
    finally:
        # By itself it ends when it sees that its folder is gone, which a busy machine may not tell it.
        end = ["gpgconf", "--homedir", str(home), "--kill", "all"]
        subprocess.run(end, check=True, capture_output=True)
    listing = subprocess.run(
        [*gpg, "--with-colons", "--list-keys", name], check=True, capture_output=True, text=True
    ).stdout
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line[:3] == "fpr")
    armour = subprocess.run(
        [*gpg, "--armor", "--export", name], check=True, capture_output=True, text=True
    ).stdout
    return armour, fingerprint


needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")


@needs_gpg
def test_the_fingerprint_is_gpgs(own_home: Path) -> None:
    armour, fingerprint = make_key(own_home / "g", "one@example.org")
    assert openpgp.fingerprints(openpgp.dearmour(armour)) == [fingerprint]


@needs_gpg
def test_the_key_is_written_only_with_the_right_fingerprint(own_home: Path) -> None:
    armour, fingerprint = make_key(own_home / "g", "one@example.org")
    second, _ = make_key(own_home / "g", "two@example.org")
    source, keyring = own_home / "key.asc", own_home / "keyrings" / "k.gpg"
    source.write_text(armour)
    step = packages.KeyStep(fingerprint.lower(), source.as_uri(), str(keyring))
    assert not step.is_done()
    state = step.before()
    step.do(lambda _: None)
    assert step.is_done() and openpgp.fingerprints(keyring.read_bytes()) == [fingerprint]
    step.undo(state, lambda _: None)
    assert not keyring.parent.exists()

    wrong = packages.KeyStep(packages.KEY_FINGERPRINT, source.as_uri(), str(keyring))
    with pytest.raises(EnvironmentFailure, match="it is not trusted"):
        wrong.do(lambda _: None)
    assert not keyring.exists()

    # A second key in the same file would be trusted by apt, too.
    both = openpgp.dearmour(armour) + openpgp.dearmour(second)
    body = base64.encodebytes(both).decode()
    head, foot = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    source.write_text(f"{head}\n\n{body}{foot}\n")
    with pytest.raises(EnvironmentFailure, match="it is not trusted"):
        step.do(lambda _: None)


@pytest.mark.parametrize("text", ["", "<html>", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n"])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(EnvironmentFailure, match="no OpenPGP key"):
        openpgp.dearmour(text)


@pytest.mark.parametrize(
    "data", [b"\x00", b"\x99\x01\x0d\x04", b"\xc6\xe0", b"\xc6\xc1", b"\x9b\x04", b"\xcb\x01x"]
)
def test_broken_packets(data: bytes) -> None:
    with pytest.raises(EnvironmentFailure):
        openpgp.fingerprints(data)


def test_only_tls() -> None:
    from sandboxd.errors import UsageError

    step = packages.KeyStep("00", "http://gvisor.dev/archive.key", "/nonexistent/k")
    with pytest.raises(UsageError, match="not fetched over TLS"):
        step.do(lambda _: None)


@pytest.mark.parametrize(
    ("data", "header"),
    [
        # RFC 9580, 4.2.1: the largest and the smallest size of each form.
        (b"\xc6\x00", (6, 2, 0)),
        (b"\xc6\xbf", (6, 2, 191)),
        (b"\xc6\xc0\x00", (6, 3, 192)),
        (b"\xc6\xdf\xff", (6, 3, 8383)),
        (b"\xc6\xff\x00\x01\x00\x00", (6, 6, 65536)),
    ],
    ids=["none", "one octet", "least of two", "most of two", "five"],
)
def test_the_size_of_a_packet(data: bytes, header: tuple[int, int, int]) -> None:
    assert openpgp._header(data, 0) == header

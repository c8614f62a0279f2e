"""Certificates, keys and tokens of a kubeconfig that cannot be used: one line names the field, context and file."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import kubeconfig
from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.errors import SandboxdError
from tests.forked import run_forked
from tests.patience import PATIENCE

# Valid in 2020 alone, and in 2060 alone: the two forms that a date has.
PAST = """-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUakWqf7mZPPALXoCfGZP/bVDlgVswCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASS7Tkd8xs/fWTW
2wucyUrvHzgjthV4EsczPnI6GecKbLVxHhKIPUGjfPYmAeXFk2ZXkn/WxT6aLQO7
jLFPD3sUo1MwUTAdBgNVHQ4EFgQUUJ9Rby19K806P0fhWO6u4FqTcXMwHwYDVR0j
BBgwFoAUUJ9Rby19K806P0fhWO6u4FqTcXMwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEA5PAFu1BHjIKQfUkQteN1jmoptAik3AuRrRXfm23LWyYC
IDmoDc3grnbAwM19ABaM/IsiTBxfGHI3667cSmM70S4q
-----END CERTIFICATE-----
"""
FUTURE = """-----BEGIN CERTIFICATE-----
MIIBcDCCARegAwIBAgIUb0zoURp7WAVDWm+1da2C2g89NWMwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAiGA8yMDYwMDEwMTAwMDAwMFoYDzIwNjEwMTAxMDAwMDAw
WjAMMQowCAYDVQQDDAFhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF25uQOVk
dM0Tipoq1rJDquXQ8iJctTYAJ7+1Cml0LU9oWolIFyJLCdxH13dhC6PKJjjjcGm/
UXvSoTNcM7hGeaNTMFEwHQYDVR0OBBYEFJQz2MTg0unJKzP8GuFvI7B7AJNkMB8G
A1UdIwQYMBaAFJQz2MTg0unJKzP8GuFvI7B7AJNkMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDRwAwRAIgA+FMLXbCxjYo5kO0EncpgVhazOw2WOlN70o3Y/FC
ungCIBflzFMVdMG7wRes+SzWBC5doCV94fhnVBgqxXDJ5g8e
-----END CERTIFICATE-----
"""


def pair(folder: Path, *key: str) -> tuple[str, str]:
    """A new certificate and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    kind = key or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    words = ["openssl", "req", "-x509", *kind, "-subj", "/CN=ann", "-days", "2"]
    words += ["-keyout", "made.key", "-out", "made.pem"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return (folder / "made.pem").read_text(), (folder / "made.key").read_text()


@pytest.fixture
def mine(tmp_path: Path) -> tuple[str, str]:
    return pair(tmp_path)


def data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    cluster = {"server": "https://127.0.0.1:1", **cluster}
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "team", "context": {"cluster": "c", "user": "ann"}}],
        "users": [{"name": "ann", "user": user}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def refusal(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> SandboxdError:
    path = written(folder, cluster, user)
    with pytest.raises(SandboxdError) as told:
        Cluster(kubeconfig.load("team", {"KUBECONFIG": str(path)}), {})
    error = told.value
    assert f"of the context `team` in `{path}` " in error.message and error.hint
    assert "\n" not in error.message + error.hint
    return error


AUTHORITY, CERTIFICATE, KEY = "certificate-authority", "client-certificate", "client-key"
OF_USER = {"client-certificate-data": data(FUTURE), "token": "t"}
"""A certificate whose time is not looked at, since there is another way to sign in."""


@pytest.mark.parametrize("value", ["no base64!", "bm8", 5, ["a"], "ümlaut"])
def test_what_is_no_base64_is_named(tmp_path: Path, value: object) -> None:
    for field, cluster, user in (
        (AUTHORITY, {f"{AUTHORITY}-data": value}, {}),
        (CERTIFICATE, {}, {f"{CERTIFICATE}-data": value}),
        (KEY, {}, {**OF_USER, f"{KEY}-data": value}),
    ):
        error = refusal(tmp_path, cluster, user)
        assert error.message.startswith(f"`{field}-data` of") and error.exit_code == 2
        assert error.message.endswith("is no base64")


@pytest.mark.parametrize(
    "text", ["no", PAST.replace("MIIBbTCC", "MIIBbTCD"), PAST[:300], "-----BEGIN CERTIFICATE-----\n!\n", "\0\udcff"]
)  # fmt: skip
def test_what_is_no_certificate_is_named(tmp_path: Path, text: str) -> None:
    raw = text.encode("utf-8", "surrogateescape")
    value = base64.b64encode(raw).decode()
    (tmp_path / "bad.pem").write_bytes(raw)
    for field, cluster, user in (
        (f"{AUTHORITY}-data", {f"{AUTHORITY}-data": value}, {}),
        (f"{CERTIFICATE}-data", {}, {f"{CERTIFICATE}-data": value}),
        (AUTHORITY, {AUTHORITY: "bad.pem"}, {}),
        (CERTIFICATE, {}, {CERTIFICATE: "bad.pem"}),
    ):
        error = refusal(tmp_path, cluster, user)
        assert error.message.startswith(f"`{field}` of") and error.exit_code == 2
        assert error.message.endswith("is no certificate in PEM")


def test_what_is_no_key_is_named(tmp_path: Path, mine: tuple[str, str]) -> None:
    certificate, key = mine
    torn = key[: len(key) // 2] + "\n" + key.splitlines()[-1] + "\n"
    for text in ("no", certificate, torn):
        user = {f"{CERTIFICATE}-data": data(certificate), f"{KEY}-data": data(text)}
        error = refusal(tmp_path, {}, user)
        assert error.message.startswith(f"`{KEY}-data` of") and error.exit_code == 2
        assert error.message.endswith("is no private key in PEM")


def test_a_key_of_another_certificate_is_named(
    tmp_path: Path, mine: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, _ = mine
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    (tmp_path / "copies").mkdir()
    rsa = ("-newkey", "rsa:2048", "-nodes")
    for _, key in (pair(tmp_path), pair(tmp_path, *rsa)):
        (tmp_path / "ann.key").write_text(key)
        user = {f"{CERTIFICATE}-data": data(certificate), KEY: "ann.key"}
        error = refusal(tmp_path, {}, user)
        assert error.message.startswith(f"`{KEY}` of") and error.exit_code == 2
        assert error.message.endswith(f"does not fit its `{CERTIFICATE}-data`")
        assert list((tmp_path / "copies").iterdir()) == [], "while the error is still there"


def test_an_encrypted_key_asks_nobody(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path, "-newkey", "rsa:2048", "-passout", "pass:secret")
    user = {f"{CERTIFICATE}-data": data(certificate), f"{KEY}-data": data(key)}
    assert "is encrypted" in refusal(tmp_path, {}, user).message


def test_a_certificate_without_a_key_is_named(tmp_path: Path, mine: tuple[str, str]) -> None:
    error = refusal(tmp_path, {}, {f"{CERTIFICATE}-data": data(mine[0])})
    assert error.message.endswith(f"has no `{KEY}` beside it") and error.exit_code == 2


def test_a_certificate_out_of_its_time_is_named_with_this_machines_clock(tmp_path: Path) -> None:
    for text, words in (
        (PAST, "expired at 2021-01-01 00:00 UTC"),
        (FUTURE, "begins at 2060-01-01 00:00 UTC"),
    ):
        error = refusal(tmp_path, {}, {f"{CERTIFICATE}-data": data(text)})
        assert error.message.startswith(f"`{CERTIFICATE}-data` of") and error.exit_code == 4
        assert f" {words}, and the clock of this machine says 2" in error.message
        assert "set the clock if it is wrong; else sign in" in error.hint


@pytest.mark.parametrize("field", [AUTHORITY, CERTIFICATE, KEY, "tokenFile"])
def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path, field: str) -> None:
    beside = OF_USER if field == KEY else {}
    for name, words, code in (
        ("lost.pem", f"names `{tmp_path}/lost.pem`, which is not there", 2),
        (".", f"names `{tmp_path}/.`, which is a directory, not a regular file", 4),
    ):
        where = {field: name}
        parts = (where, {}) if field == AUTHORITY else ({}, {**beside, **where})
        error = refusal(tmp_path, *parts)
        assert error.message.startswith(f"`{field}` of") and error.message.endswith(words)
        assert error.exit_code == code


@pytest.mark.parametrize("field", [AUTHORITY, CERTIFICATE, KEY, "tokenFile"])
def test_a_file_that_does_not_end_is_named_and_waits_for_nobody(tmp_path: Path, field: str) -> None:
    beside = OF_USER if field == KEY else {}
    os.mkfifo(tmp_path / "pipe.pem")
    with (tmp_path / "huge.pem").open("wb") as file:
        file.truncate((4 << 20) + 1)
    for name, words in (
        (f"{tmp_path}/pipe.pem", "is a named pipe, not a regular file"),
        ("/dev/zero", "is a character device, not a regular file"),
        (f"{tmp_path}/huge.pem", "is larger than 4 MiB"),
    ):
        where = {field: name}
        parts = (where, {}) if field == AUTHORITY else ({}, {**beside, **where})
        error = refusal(tmp_path, *parts)
        assert error.message.startswith(f"`{field}` of") and error.exit_code == 4
        assert f"names `{name}`, which {words}" in error.message


def test_a_link_is_followed(tmp_path: Path, mine: tuple[str, str]) -> None:
    """As programs that renew certificates keep them."""
    for name, text in zip(("a.pem", "a.key"), mine, strict=True):
        (tmp_path / f"of-today-{name}").write_text(text)
        (tmp_path / name).symlink_to(f"of-today-{name}")
    path = written(tmp_path, {}, {CERTIFICATE: "a.pem", KEY: "a.key"})
    Cluster(kubeconfig.load("team", {"KUBECONFIG": str(path)}), {}).close()


def test_what_can_be_used_is_taken(tmp_path: Path, mine: tuple[str, str]) -> None:
    certificate, key = mine
    wrapped = "\n".join(data(certificate)[i : i + 64] for i in range(0, 2000, 64))
    user = {f"{CERTIFICATE}-data": wrapped, f"{KEY}-data": data(f"# of Ann, ümlaut\n{key}")}
    # The data counts before the file, as for kubectl.
    cluster = {f"{AUTHORITY}-data": data(PAST + certificate), AUTHORITY: "lost.pem"}
    path = written(tmp_path, cluster, user)
    Cluster(kubeconfig.load("team", {"KUBECONFIG": str(path)}), {}).close()
    user = {f"{CERTIFICATE}-data": data(PAST), f"{KEY}-data": data(key)}
    assert "does not fit" in refusal(tmp_path, cluster, {**user, "token": "t"}).message


def test_the_command_line_has_one_line_and_its_hint(tmp_path: Path) -> None:
    path = written(tmp_path, {f"{AUTHORITY}-data": "bm8="}, {})
    environ = {**os.environ, "KUBECONFIG": str(path), "COLUMNS": "400"}
    done = run_forked(["status", "--on", "team"], cwd=tmp_path, env=environ, timeout=2 * PATIENCE)
    assert done.returncode == 2 and done.stdout == ""
    assert " ".join(done.stderr.split()) == (
        f"error: `{AUTHORITY}-data` of the context `team` in `{path}` is no certificate in PEM "
        "hint: sign in to the cluster again: its own tool writes it"
    )

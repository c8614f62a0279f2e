"""Whose certificate it was, where it is not trusted: of a proxy on the way, most often."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandboxd.egress.issuer import issuer, naming
from sandboxd.inside import unpack


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server on this machine with a certificate of a company's own authority."""
    path = tmp_path / "server.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", "/O=Example Security/CN=Example Proxy CA"]
    subprocess.run(
        ["openssl", *words, *subject, "-keyout", str(path), "-out", str(tmp_path / "certificate")],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "certificate").read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with contextlib.suppress(OSError), client:
                        context.wrap_socket(client, server_side=True).close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_the_error_names_who_issued_it(port: int) -> None:
    context = naming(ssl.create_default_context())
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError) as failed,
    ):
        context.wrap_socket(plain, server_hostname="localhost")
    assert getattr(failed.value, "issuer", "") == "Example Proxy CA, Example Security"


def test_the_installation_of_a_program_says_so_too(port: int, tmp_path: Path) -> None:
    package = {"url": f"https://localhost:{port}/a.tgz", "name": "a", "integrity": ""}
    with pytest.raises(unpack.Failure) as failed:
        unpack.fetch(package, str(tmp_path / "a.tgz"), "")
    assert str(failed.value).endswith("issued by `Example Proxy CA`")
    assert failed.value.reason == "tls"


def test_what_it_calls_itself_is_one_printable_line() -> None:
    shown = SimpleNamespace(
        get_info=lambda: {"issuer": ((("commonName", "A`\x1b[31m\n  B" + "x" * 500),),)}
    )
    tls = SimpleNamespace(get_unverified_chain=lambda: [shown])
    assert issuer(tls) == ("A[31m B" + "x" * 500)[:120]


@pytest.mark.parametrize("tls", [None, object()])
def test_without_a_certificate_nobody_is_named(tls: object) -> None:
    assert issuer(tls) == ""

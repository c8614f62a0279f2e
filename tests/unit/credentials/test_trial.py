"""What a service answers about a secret, in words: by a server of the test's own, with real TLS."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.credentials import roots, trial
from sandboxd.credentials.secret import Secret
from sandboxd.credentials.service import Endpoint, Service, Trial
from sandboxd.errors import EnvironmentFailure
from tests import certificates

TRUE = "marked-true"


class Stub(NamedTuple):
    service: Service
    environ: dict[str, str]
    asked: list[tuple[str, str]]
    """Paths and what stood in their header."""
    answers: dict[str, tuple[int, dict[str, str], object]]
    """By the secret that came."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    certificates.self_signed(folder, "localhost", "localhost", key="key.pem", certificate="ca.pem")
    return folder


@pytest.fixture
def stub(authority: Path) -> Iterator[Stub]:
    asked: list[tuple[str, str]] = []
    answers: dict[str, tuple[int, dict[str, str], object]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            value = self.headers.get("Authorization") or ""
            asked.append((self.path, value))
            status, headers, document = answers[value.removeprefix("Bearer ")]
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, text in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = Endpoint(
        "api", "localhost", server.server_port, "Authorization", "bearer", "", (), ("/",)
    )
    service = Service(
        "stub", "Stub", "a key", "all", (), "none", "https://stub.example/", (endpoint,),
        trial=Trial("api", "/user", "login"),
    )  # fmt: skip
    yield Stub(service, {"SSL_CERT_FILE": str(authority / "ca.pem")}, asked, answers)
    server.shutdown()
    server.server_close()


def ask(stub: Stub, text: str = TRUE) -> trial.Answer:
    return trial.ask(stub.service, Secret(text), stub.environ)


def test_the_true_one_is_accepted_with_its_account_and_its_end(stub: Stub) -> None:
    expires = {"github-authentication-token-expiration": "2027-01-31 00:00:00 UTC"}
    stub.answers[TRUE] = 200, expires, {"login": "someone", "id": 1}
    answer = ask(stub)
    assert answer == (
        "accepted",
        "accepted, as `someone`; it ends 2027-01-31 00:00:00 UTC",
        "someone",
    )
    assert stub.asked == [("/user", f"Bearer {TRUE}")]


@pytest.mark.parametrize(
    ("status", "document", "state", "words"),
    [
        (401, {"message": "Bad credentials"}, "refused", 'mistyped (401); it says: "Bad credentials"'),
        (401, {"error": "invalid_token", "error_description": "Token was revoked."}, "refused",
         '"Token was revoked."'),
        (401, {"error": {"message": f"key {TRUE} expired"}}, "refused", '"key ... expired"'),
        (401, ["no object"], "refused", "refused: expired, revoked or mistyped (401)"),
        (403, {}, "refused", "lacks a scope"),
        (400, {"error": {"message": "API key not valid"}}, "refused", "not valid"),
        (429, {}, "not known", "ask again later"),
        (503, {}, "not known", "it answers 503"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_services_words_without_the_secret(
    stub: Stub, status: int, document: object, state: str, words: str
) -> None:
    stub.answers[TRUE] = status, {}, document
    answer = ask(stub)
    assert answer.state == state
    assert words in answer.words
    assert TRUE not in answer.words


def test_a_redirect_is_not_followed(stub: Stub) -> None:
    stub.answers[TRUE] = 302, {"Location": "/elsewhere"}, {}
    assert "which is not followed (302)" in ask(stub).words
    assert [path for path, _ in stub.asked] == ["/user"]


def test_a_certificate_of_nobody_gets_no_secret(
    stub: Stub, authority: Path, tmp_path: Path
) -> None:
    certificates.self_signed(tmp_path, "x", key="k", certificate="ca")
    other = stub._replace(environ={"SSL_CERT_FILE": str(tmp_path / "ca")})
    assert "its certificate does not hold" in ask(other).words
    assert stub.asked == []


def test_a_service_without_such_a_request_is_said(stub: Stub) -> None:
    silent = stub._replace(service=stub.service._replace(trial=None))
    assert ask(silent).state == "not asked"


def test_of_a_file_of_authorities_only_certificates_are_taken(
    authority: Path, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes((authority / "key.pem").read_bytes() + (authority / "ca.pem").read_bytes())
    text = roots.pem({"SSL_CERT_FILE": str(both)})
    assert "CERTIFICATE" in text
    assert "PRIVATE" not in text


@pytest.mark.parametrize("content", [None, "nothing"])
def test_no_authorities_are_a_failure(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EnvironmentFailure, match="are not known"):
        roots.pem({"SSL_CERT_FILE": str(path)})

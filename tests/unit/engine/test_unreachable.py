"""The case of a failure is told from the system's own error, however often it was wrapped."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import BadStatusLine, RemoteDisconnected

import pytest
import requests
import urllib3

from sandboxd.engine.unreachable import WORDS, CertificatesError, SshError, case_of, words


def wrapped(cause: Exception) -> Exception:
    """As urllib3 and requests wrap what they get."""
    try:
        try:
            try:
                raise cause
            except Exception as error:
                raise urllib3.exceptions.ProtocolError("Connection aborted.", error) from error
        except urllib3.exceptions.ProtocolError as error:
            raise requests.exceptions.ConnectionError(error)  # noqa: B904 - as requests does
    except requests.exceptions.ConnectionError as error:
        return error


@pytest.mark.parametrize(
    ("cause", "case", "detail"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file"), "absent", "No such file"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "absent", "Not a directory"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Refused"), "refused", "Refused"),
        (PermissionError(errno.EACCES, "Denied"), "permission", "Denied"),
        (TimeoutError("timed out"), "hanging", "0.5"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "elsewhere", "No route to host"),
        (socket.gaierror(-2, "Name not known"), "elsewhere", "Name not known"),
        (ssl.SSLError(1, "bad certificate"), "tls", "bad certificate"),
        (ConnectionResetError(errno.ECONNRESET, "Reset"), "broken", "Reset"),
        (BrokenPipeError(errno.EPIPE, "Pipe"), "broken", "Pipe"),
        (RemoteDisconnected("closed without response"), "broken", "closed without response"),
        (BadStatusLine("junk"), "broken", "junk"),
        (ValueError("no JSON"), "broken", "no JSON"),
        (CertificatesError("/c: missing"), "certificates", "/c: missing"),
        (SshError("me@far: denied"), "ssh", "me@far: denied"),
    ],
)
def test_case_and_detail(cause: Exception, case: str, detail: str) -> None:
    for error in (cause, wrapped(cause)):
        actual = case_of(error, 0.5)
        assert actual[0] == case
        assert detail in actual[1]


def test_an_earlier_error_does_not_decide() -> None:
    """The chain reaches back to whatever was handled when the engine was asked."""
    try:
        raise PermissionError(errno.EACCES, "something else")
    except PermissionError:
        assert case_of(wrapped(TimeoutError()), 1)[0] == "hanging"
    try:
        try:
            raise PermissionError(errno.EACCES, "something else")
        except PermissionError:
            raise ConnectionResetError  # noqa: B904 - without "from", as anybody may
    except ConnectionResetError as error:
        assert case_of(error, 1)[0] == "broken"


@pytest.mark.parametrize("case", [*WORDS, "500"])
def test_each_case_has_words_and_a_next_step(case: str) -> None:
    message, hint = words(case, "unix:///{x}", "it {said} so")
    assert message[0].islower() and not message.endswith(".") and hint
    assert "{x}" in message or "{said}" in message

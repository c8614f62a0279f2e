"""What an API server answers, in words for whoever has to act."""

from __future__ import annotations

import ssl

import pytest

from sandboxd.backends.kubernetes import failures
from sandboxd.backends.kubernetes.kubeconfig import Context

TEAM = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")


@pytest.mark.parametrize(
    ("code", "reason", "text", "message", "hint"),
    [
        (401, "Unauthorized", "Unauthorized", "does not take your credentials", "sign in again"),
        (
            403, "Forbidden", 'pods is forbidden: User "ann" cannot create resource "pods" in API group "" in the namespace "shop"',
            "refuses to make Pod `x`: you may not create pods", "sandboxd doctor --on team",
        ),
        (
            403, "Forbidden", 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3',
            "has no room: quota small (requested: pods=1", "get quota",
        ),
        (
            403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged',
            "refuses it by Pod Security", "report it",
        ),
        (
            400, "", 'admission webhook "policy.example" denied the request: no on Sundays',
            "webhook `policy.example` refuses it: no on Sundays", "a rule of that cluster",
        ),
        (404, "NotFound", 'namespaces "shop" not found', "there is no namespace `shop`", "create namespace shop"),
        (409, "Conflict", 'conflict with "argo": .spec', "another program manages", "--show-managed-fields"),
        (410, "Expired", "too old", "has forgotten", "run it again"),
        (429, "TooManyRequests", "slow down", "has too much to do", "later"),
        (500, "", "etcd is gone", "fails to make Pod `x`: etcd is gone", "readyz"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_words(
    code: int, reason: str, text: str, message: str, hint: str
) -> None:
    error = failures.refused(TEAM, "make Pod `x`", code, reason, text)
    assert message in error.message and hint in error.hint and error.code == code
    assert error.exit_code == 4


@pytest.mark.parametrize(("code", "text"), [(404, 'namespaces "a b" not found'), (500, "ill")])
def test_a_name_in_a_command_to_type_is_one_word(code: int, text: str) -> None:
    context = TEAM._replace(name="of; mine", namespace="a b")
    hint = failures.refused(context, "ask", code, "", text).hint
    assert "kubectl --context 'of; mine' " in hint
    assert code != 404 or hint.endswith("create namespace 'a b'`")


def chained(cause: Exception) -> Exception:
    error = OSError("it failed")
    error.__cause__ = cause
    return error


def test_a_certificate_that_is_not_the_clusters_is_told_from_a_network_that_is_down() -> None:
    wrong = ssl.SSLCertVerificationError("self-signed")
    wrong.verify_message = "self-signed certificate"
    error = failures.unreachable(TEAM, chained(wrong))
    assert "the certificate of `https://10.0.0.1` is not that of the cluster" in error.message
    error = failures.unreachable(TEAM, chained(ConnectionRefusedError(111, "Connection refused")))
    assert "cannot be reached: [Errno 111] Connection refused" in error.message
    error = failures.unreachable(TEAM, TimeoutError())
    assert "it does not answer in time" in error.message and "VPN" in error.hint


def test_a_token_that_no_header_can_have_is_not_shown() -> None:
    class LocalProtocolError(Exception):
        """As the libraries name it."""

    cause = LocalProtocolError("Illegal header value b'Bearer the-secret\\n'")
    for error in (cause, chained(cause)):
        told = failures.unreachable(TEAM, error)
        assert "the-secret" not in f"{told.message} {told.hint}"
        assert told.message == (
            "the cluster of `team` cannot be asked: what would be sent is no HTTP"
        )
        assert "line break" in told.hint and told.exit_code == 4


def test_a_missing_extra_is_one_line() -> None:
    assert failures.missing_extra().hint == "`pip install 'sandboxd[kubernetes]'`"


@pytest.mark.parametrize(("code", "words"), [(9, "is not valid yet"), (10, "has expired")])
def test_a_certificate_out_of_its_time_may_be_a_clock_that_is(code: int, words: str) -> None:
    cause = ssl.SSLCertVerificationError("certificate")
    cause.verify_code, cause.verify_message = code, "certificate"
    error = failures.unreachable(TEAM, chained(cause))
    assert f"`https://10.0.0.1` {words} by the clock of this machine" in error.message
    assert "set the clock if it is wrong" in error.hint


def test_a_server_that_goes_away_during_the_handshake_may_be_back() -> None:
    """Where it ends at that moment, TLS names it in one of these ways."""
    for gone in (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError):
        error = failures.unreachable(TEAM, chained(gone("[SYS] unknown error")))
        assert error.passes and "cannot be reached" in error.message
    of_system = ssl.SSLError(1, "[SYS] unknown error (_ssl.c:2580)")
    of_system.library = "SYS"
    assert failures.unreachable(TEAM, chained(of_system)).passes
    cause = ssl.SSLError(1, "wrong version number")
    cause.reason = "WRONG_VERSION_NUMBER"
    wrong = failures.unreachable(TEAM, chained(cause))
    assert not wrong.passes and "no TLS" in wrong.message

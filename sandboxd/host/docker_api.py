"""The few questions that a probe asks the container engine; what goes wrong is a word, not an end."""

from __future__ import annotations

import errno
from typing import Any

from sandboxd.engine import transport
from sandboxd.engine.contexts import Identity
from sandboxd.engine.http1 import WireError
from sandboxd.engine.transport import Transport


class ApiError(Exception):
    """No answer, or an error as answer; `case` is a word of `host.engine_facts.FAILURES`."""

    def __init__(self, case: str, detail: str) -> None:
        super().__init__(detail)
        self.case = case
        self.detail = detail


class Api:
    """One engine; every request has its own connection and gives up after `timeout` seconds."""

    def __init__(self, identity: Identity, timeout: float) -> None:
        self.host = identity.host
        self.is_local = identity.is_local
        self._timeout = timeout
        self._tls = identity.tls

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted, and the engine's name checked."""
        return self._tls is not None and self._tls.verify

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        timeout: float | None = None,
        **query: str,
    ) -> Any:
        """The answer: decoded where it is JSON, else bytes.

        :raises ApiError: there was no answer, or it is an error
        """
        wait = timeout or self._timeout
        try:
            return Transport(self.host, self._tls).request(method, path, query, body, wait)
        except transport.ApiError as error:
            raise ApiError(str(error.status), error.message) from None
        except (OSError, WireError, ValueError) as error:
            raise ApiError(_case(error), _detail(error, wait)) from None


def _case(error: Exception) -> str:
    if isinstance(error, transport.AddressError):
        return "address"
    if isinstance(error, transport.CertificatesError):
        return "certificates"
    if isinstance(error, TimeoutError):
        return "hanging"
    if transport.is_tls_error(error):
        return "tls"  # its number is no errno: 1 would read as "permission"
    code = error.errno if isinstance(error, OSError) else None
    return {
        errno.ENOENT: "absent",
        errno.ENOTDIR: "absent",
        errno.ECONNREFUSED: "refused",
        errno.EACCES: "permission",
        errno.EPERM: "permission",
    }.get(code or 0, "broken")


def _detail(error: Exception, waited: float) -> str:
    return f"{waited:g}" if isinstance(error, TimeoutError) else str(error)

"""The docker SDK's client for one engine, set up by the caller's identity alone.

Its constructor is not run: that reads `config.json` by the variables of this process, and its
contents (proxies with passwords, credential helpers) are not ours to use. The parts of it that
are not public are those of docker 7.2, to which the dependency is bound.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import docker.errors
import requests
import urllib3
from docker.api.client import APIClient

from sandboxd.engine import failures, podman
from sandboxd.engine.adapters import SshAdapter, TcpAdapter, UnixAdapter
from sandboxd.engine.address import parse
from sandboxd.engine.contexts import Identity, TlsFiles
from sandboxd.engine.unreachable import CertificatesError
from sandboxd.tls import accept_old_authorities


def context_of(tls: TlsFiles) -> ssl.SSLContext:
    """The TLS context for connections to an engine.

    The SDK's own `TLSConfig` is not used: with it, urllib3 refuses certificates made as Docker's
    pages describe it, from Python 3.13 on.

    :raises CertificatesError: a file is missing or invalid
    """
    try:
        if tls.verify:
            # Only this authority: the system's would let any web server play the engine.
            context = ssl.create_default_context(cafile=os.path.join(tls.folder, "ca.pem"))
        else:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        accept_old_authorities(context).load_cert_chain(
            os.path.join(tls.folder, "cert.pem"), os.path.join(tls.folder, "key.pem")
        )
    except OSError as error:
        raise CertificatesError(f"{tls.folder}: {error.strerror or error}") from None
    return context


# The API version for an engine that does not say its own; the docker command takes the same.
_OLDEST_API = "1.24"
_API = re.compile(r"\d{1,3}\.\d{1,3}")
_MOST_CONFIG = 1 << 20


class Session(APIClient):  # type: ignore[misc]
    """The docker SDK's `APIClient` without proxies, .netrc and redirects; each thread has its own time limit.

    :raises CertificatesError: a file of the identity's TLS folder cannot be used
    """

    def __init__(self, identity: Identity, seconds: float) -> None:
        requests.Session.__init__(self)
        self.trust_env = False
        self.max_redirects = 0
        self.headers.update({"Accept-Encoding": "identity", **_headers(identity)})
        self._seconds = seconds
        self._limit = threading.local()
        self._negotiated = self._server = ""
        self._general_configs: dict[str, Any] = {}
        self._auth_configs = self._proxy_configs = self.credstore_env = None
        self.adapters.clear()
        address = parse(identity.host)
        if address.scheme == "unix":
            self.base_url = "http+docker://localhost"
            self._custom_adapter: Any = UnixAdapter(address.path)
        elif address.scheme == "ssh":
            self.base_url = "http+docker://ssh"
            self._custom_adapter = SshAdapter(address, identity.agent)
        else:
            self.base_url = address.url(identity.tls is not None)
            self._custom_adapter = TcpAdapter(context_of(identity.tls) if identity.tls else None)
            if identity.tls is not None and not identity.tls.verify:
                # urllib3 would write a warning to stderr at every request.
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.mount(self.base_url, self._custom_adapter)

    @property
    def timeout(self) -> float:
        """The time limit for each piece of an answer to this thread's next request, in seconds."""
        return getattr(self._limit, "seconds", self._seconds)

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set the time limit of this thread's requests for the block."""
        before, self._limit.seconds = self.timeout, seconds
        try:
            yield
        finally:
            self._limit.seconds = before

    @property
    def _version(self) -> str:
        """The API version to speak: the engine's own, asked once by the cheapest question."""
        if not self._negotiated:
            response = self._get(self._url("/_ping", versioned_api=False))
            version = response.headers.get("Api-Version", "")
            if not _API.fullmatch(version):
                self._raise_for_status(response)
                version = _OLDEST_API
            self._server = str(response.headers.get("Server", ""))
            self._negotiated = version
        return self._negotiated

    @property
    def is_podman(self) -> bool:
        """Whether the engine is Podman, by the header `Server` of its answer about the API's version."""
        return bool(self._version) and podman.signs(self._server)

    def signature(self) -> str:
        """The header `Server` of the answer to the cheapest request; '' where it is missing."""
        response: requests.Response = self._get(self._url("/_ping", versioned_api=False))
        return str(response.headers.get("Server", ""))

    def head(self, url: str, **options: Any) -> requests.Response:
        """The headers that a GET would have.

        :raises docker.errors.APIError: the engine refuses
        """
        response: requests.Response = super().head(url, **self._set_request_timeout(options))
        self._raise_for_status(response)
        return response

    def open(self, url: str, **params: Any) -> requests.Response:
        """Send a GET request; returns the answer, whose body is read piece by piece. The caller closes it.

        :raises docker.errors.APIError: the engine refuses
        """
        response: requests.Response = self._get(url, params=params, stream=True)
        self._raise_for_status(response)
        return response

    def switch(
        self, url: str, data: dict[str, Any] | None = None, **params: Any
    ) -> requests.Response:
        """Send a POST request that turns its connection into a raw stream to a process.

        :param data: the body; None for none, as in attaching, where the process would read it
        :raises docker.errors.APIError: the engine refuses
        """
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        response: requests.Response
        if data is None:
            response = self._post(url, headers=headers, params=params, stream=True)
        else:
            response = self._post_json(url, data, headers=headers, params=params, stream=True)
        self._raise_for_status(response)
        return response


def failure_of(error: Exception, host: str, waited: float) -> failures.EngineFailure | None:
    """The `EngineFailure` for an error of the SDK; None for an error that the engine did not cause.

    :param waited: the time limit of the answer, in seconds
    """
    if isinstance(error, docker.errors.APIError):
        response = error.response
        status = response.status_code if response is not None else 500
        return failures.refused(status, " ".join(str(error.explanation or "").split())[:2000])
    if isinstance(
        error,
        docker.errors.DockerException
        | requests.exceptions.RequestException
        | urllib3.exceptions.HTTPError
        | OSError
        | KeyError
        | ValueError,
    ):
        return failures.unreachable(host, error, waited)
    return None


def _headers(identity: Identity) -> dict[str, str]:
    """The headers that `config.json` adds to every request, for proxies in front of an engine."""
    if not identity.config:
        return {}
    try:
        with open(os.path.join(identity.config, "config.json"), "rb") as file:
            headers = json.loads(file.read(_MOST_CONFIG))["HttpHeaders"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(headers, dict):
        return {}
    return {name: value for name, value in headers.items() if isinstance(value, str)}

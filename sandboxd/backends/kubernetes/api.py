"""Reads, applies and deletes objects of a cluster."""

from __future__ import annotations

import contextlib
import functools
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sandboxd.backends.kubernetes import certificates, failures, ownership, sign_in
from sandboxd.backends.kubernetes.patience import Patience
from sandboxd.errors import EnvironmentFailure
from sandboxd.tls import accept_old_authorities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx2

    from sandboxd.backends.kubernetes.kubeconfig import Context

_Answer = TypeVar("_Answer")

FIELD_MANAGER = "sandboxd"
_SECONDS = 15.0


class Kind(NamedTuple):
    """A kind of object in the API: `version` is its `apiVersion`, `plural` its name in URLs."""

    version: str
    kind: str
    plural: str
    namespaced: bool = True


POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
EVENT = Kind("v1", "Event", "events")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
SANDBOX = Kind("agents.x-k8s.io/v1beta1", "Sandbox", "sandboxes")
"""A Sandbox of the project agent-sandbox, whose controller makes a Pod for it where it is installed."""
RUNTIME_CLASS = Kind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False)
NODE = Kind("v1", "Node", "nodes", namespaced=False)
ACCESS_REVIEW = Kind(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    namespaced=False,
)
SELF_REVIEW = Kind(
    "authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False
)
KINDS = (NETWORK_POLICY, CONFIG_MAP, SERVICE, DEPLOYMENT, POD, SANDBOX)
"""The kinds of objects that a sandbox consists of, in the order in which they are created."""


def kind_of(document: Mapping[str, Any]) -> Kind:
    """The kind of an object, which must be one of `KINDS`."""
    answer = (document["apiVersion"], document["kind"])
    return next(kind for kind in KINDS if (kind.version, kind.kind) == answer)


class Cluster:
    """The API server of a kubeconfig context, used with the user's rights."""

    def __init__(self, context: Context, environ: Mapping[str, str]) -> None:
        """:raises SandboxdError: `lightkube` is not installed, or the user cannot be signed in"""
        try:
            from lightkube import Client
            from lightkube.config.client_adapter import ConnectionParams
            from lightkube.config.kubeconfig import KubeConfig
        except ImportError:
            raise failures.missing_extra() from None
        import httpx2

        self.context, self._environ = context, environ
        self.patience = Patience()
        certificates.require_usable(context)
        described = {
            "clusters": [{"name": "it", "cluster": certificates.as_kubectl(context.cluster)}],
            "users": [{"name": "me", "user": sign_in.user(context, environ)}],
            "contexts": [
                {
                    "name": "it",
                    "context": {"cluster": "it", "user": "me", "namespace": context.namespace},
                }
            ],
        }
        proxy = context.cluster.get("proxy-url") or None
        timeout = httpx2.Timeout(_SECONDS)
        with _usable(context):
            config = KubeConfig.from_dict(described).get("it")
            params = ConnectionParams(timeout=timeout, proxy=proxy).httpx_params(config)
            accept_old_authorities(params["verify"])
            hooks = {"response": [_read_refusal]}
            self.http = httpx2.Client(**params, event_hooks=hooks)
            """For what `lightkube` has no word for: streams of commands and logs."""
            # The library's own connections check certificates more strictly than kubectl, and cannot be told not to.
            transport = _through(self.http)
            self._client = Client(
                config, timeout=timeout, field_manager=FIELD_MANAGER, transport=transport
            )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self.http.close()

    def get(self, kind: Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
        """The object with this name; None where there is none.

        :param namespace: '' for the context's own
        :raises EnvironmentFailure: it cannot be read
        """
        place = {"namespace": namespace} if namespace else {}

        def ask() -> dict[str, Any]:
            answer = dict(self._client.get(_type(kind), name, **place))
            if not isinstance(answer.get("metadata"), dict):
                raise failures.no_api_server(self.context)
            return answer

        try:
            return self._ask(f"read {kind.plural}", ask)
        except failures.Refused as error:
            if self._is_none_there(kind, error):
                return None
            raise

    def list(
        self,
        kind: Kind,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """The objects with these labels and fields, in the context's namespace; of a kind without namespaces, in the
        cluster.

        :raises EnvironmentFailure: they cannot be read
        """

        def ask() -> list[dict[str, Any]]:
            answer = self._client.list(
                _type(kind), labels=dict(labels or {}), fields=dict(fields or {})
            )
            return [dict(each) for each in answer]

        return self._ask(f"read {kind.plural}", ask)

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Create the object or update it (server-side apply); returns the object as the cluster stored it.

        :raises Refused: the API server refuses it
        :raises UsageError: the object of this name is another user's, or another machine's
        """
        kind = kind_of(document)
        name = str(document["metadata"]["name"])
        owner = ownership.owner_of(self._environ, make=True)
        present = self.get(kind, name)
        if present is not None and ownership.is_anothers(present, owner):
            raise ownership.anothers(self.context, kind.kind, name)
        whole = ownership.add_label(document, owner)

        def ask() -> dict[str, Any]:
            return dict(self._client.apply(_type(kind)(whole), name))

        return self._ask(f"make {kind.kind} `{name}`", ask)

    def create(self, kind: Kind, document: Mapping[str, Any]) -> dict[str, Any]:
        """Post an object that is only a question, such as a SelfSubjectAccessReview; returns the answer.

        :raises EnvironmentFailure: there is no answer
        """
        return self._ask(
            f"answer a {kind.kind}", lambda: dict(self._client.create(_type(kind)(document)))
        )

    def is_ours(self, present: Mapping[str, Any]) -> bool:
        """Whether this user on this machine made an object that was read."""
        return ownership.is_ours(present, ownership.owner_of(self._environ, make=False))

    def is_anothers(self, present: Mapping[str, Any]) -> bool:
        """Whether another user or machine made an object that was read, by its label."""
        return ownership.is_anothers(present, ownership.owner_of(self._environ, make=False))

    def delete(self, kind: Kind, name: str) -> bool:
        """Delete the object; False where there is none, or where another user or machine made it."""
        present = self.get(kind, name)
        owner = ownership.owner_of(self._environ, make=False)
        if present is None or ownership.is_anothers(present, owner):
            return False
        group = "apis" if "/" in kind.version else "api"
        path = f"/{group}/{kind.version}/namespaces/{self.context.namespace}/{kind.plural}/{name}"
        # Not what somebody made anew under the same name since it was read.
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": present["metadata"]["uid"]},
        }

        def ask() -> None:
            self.http.request("DELETE", path, json=options).raise_for_status()

        try:
            self._ask(f"delete {kind.kind} `{name}`", ask)
        except failures.Refused as error:
            if error.code == 409 or self._is_none_there(kind, error):
                return False
            raise
        return True

    def _is_none_there(self, kind: Kind, error: failures.Refused) -> bool:
        """Whether there is no such object.

        :raises EnvironmentFailure: a 404 that is no API server's: what is noted here of a sandbox would be forgotten
        """
        if error.code != 404:
            return False
        if error.is_none_there or kind == SANDBOX:
            return True
        raise failures.no_api_server(self.context) from None

    def text(self, path: str, doing: str) -> dict[str, Any]:
        """The JSON object at a path of the API server such as `/version`.

        :param doing: what is asked for, in words that follow "refuses to"
        """

        def ask() -> dict[str, Any]:
            answer = self.http.get(path)
            if answer.status_code >= 300:
                answer.raise_for_status()
            document = answer.json()
            return document if isinstance(document, dict) else {}

        return self._ask(doing, ask)

    def seconds_ahead(self) -> int | None:
        """How many seconds the cluster's clock is ahead of this machine's, to about two seconds; None where it tells
        no time.
        """

        def ask() -> int | None:
            date = self.http.get("/version").headers.get("Date", "")
            try:
                return round(parsedate_to_datetime(date).timestamp() - time.time())
            except (ValueError, TypeError):
                return None

        return self._ask("say its time", ask)

    def path(self, pod: str, action: str) -> str:
        """The URL path of an action on a Pod, such as `exec`."""
        return f"/api/v1/namespaces/{self.context.namespace}/pods/{pod}/{action}"

    def _ask(self, doing: str, ask: Callable[[], _Answer]) -> _Answer:
        """The answer; all that is asked for here may be asked for twice."""

        def once() -> _Answer:
            with self._explained(doing):
                return _over_a_new_connection(ask)

        return self.patience.ask(once)

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        with explained(self.context, doing):
            try:
                yield
            except (TypeError, AttributeError):
                # The library reads an answer of another shape, as `[]`.
                raise failures.no_api_server(self.context) from None


def _read_refusal(response: httpx2.Response) -> None:
    """Read why a command is refused, while that can be read: the library closes the answer to an upgrade first."""
    if "upgrade" in response.request.headers and response.status_code >= 300:
        response.read()


def _through(http: httpx2.Client) -> httpx2.BaseTransport:
    """A transport that sends each request by `http`: with its certificates, its proxies and its connections."""
    import httpx2

    class Through(httpx2.BaseTransport):  # type: ignore[misc, unused-ignore]
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            return http.send(request, stream=True)

    return Through()


@functools.cache
def _type(kind: Kind) -> Any:
    """The library's class for objects of `kind`, of which it takes one in a process."""
    from lightkube import generic_resource

    group, _, version = kind.version.rpartition("/")
    make = (
        generic_resource.create_namespaced_resource
        if kind.namespaced
        else generic_resource.create_global_resource
    )
    return make(group, version, kind.kind, kind.plural)


def _over_a_new_connection(ask: Callable[[], _Answer]) -> _Answer:
    """The answer of `ask`, which is tried a second time where the connection broke off.

    A connection that was kept may have been cut while nothing went over it. What we ask for may be asked for twice:
    it reads, applies what it says, or deletes by name.
    """
    import httpx2

    try:
        return ask()
    except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
        return ask()


@contextlib.contextmanager
def explained(context: Context, doing: str) -> Iterator[None]:
    """Raise errors of the library and of the API server in the block as errors with a message for the user.

    :param doing: what is asked for, in words that follow "refuses to"
    """
    import httpx2
    from lightkube.core.exceptions import ApiError, ConfigError

    try:
        yield
    except ApiError as error:
        raise failures.refused(context, doing, *failures.status_of(error)) from None
    except httpx2.HTTPStatusError as error:
        code, text = error.response.status_code, error.response.text
        reason, message = failures.read_status(text)
        if reason or message:
            raise failures.refused(context, doing, code, reason, message) from None
        raise failures.refused_in_no_status(context, doing, code, text) from None
    except (httpx2.HTTPError, OSError) as error:
        raise failures.unreachable(context, error) from None
    except (ConfigError, ValueError, KeyError):
        # The answer is no document of an API server.
        raise failures.no_api_server(context) from None


@contextlib.contextmanager
def _usable(context: Context) -> Iterator[None]:
    """Raise what the library says of a kubeconfig as errors for people; nothing was sent yet."""
    import ssl
    import traceback

    import httpx2
    from lightkube.core.exceptions import ConfigError

    try:
        yield
    except ImportError:
        raise EnvironmentFailure(
            f"the cluster of `{context.name}` is reached by a SOCKS proxy, which needs the package `socksio`",
            "`pip install socksio`",
        ) from None
    except ssl.SSLError as error:
        # In its frames are the library's copies of the key, which go with them.
        traceback.clear_frames(error.__traceback__)
        raise certificates.of_pair(context, error) from None
    except (
        ConfigError,
        httpx2.InvalidURL,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise EnvironmentFailure(
            f"the context `{context.name}` is none that can be used: {' '.join(str(error).split())[:300]}",
            f"`{context.kubectl} get pods` has to work",
        ) from None


def connect(name: str, environ: Mapping[str, str]) -> Cluster:
    """The cluster of the context `name`.

    :raises SandboxdError: there is no such context, the policy does not allow it, or it cannot be used
    """
    from sandboxd.backends.kubernetes import kubeconfig
    from sandboxd.policy import clusters
    from sandboxd.policy.in_force import in_force

    context = kubeconfig.load(name, environ)
    # Before the program of the kubeconfig that signs in.
    clusters.require_allowed(in_force(environ), context.name, context.server, context.namespace)
    return Cluster(context, environ)

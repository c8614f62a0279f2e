"""Settings that only a Pod of Kubernetes has, beside those of its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.findings import Place
    from sandboxd.model.values import Value


class PodContainer(NamedTuple):
    """One container of a Pod: the settings that Pod Security looks at, those inherited from its Pod included.

    None means "not set". `place` is its name. A container without an image is a part that an overlay changes;
    `is_whole` is False then.
    """

    name: str
    place: Place
    is_whole: bool
    run_as_non_root: Value[bool] | None = None
    run_as_user: Value[str] | None = None
    seccomp: Value[str] | None = None
    """The type of the seccomp profile: ``RuntimeDefault``, ``Localhost``, ``Unconfined``."""
    is_privileged: bool = False
    host_process: Value[bool] | None = None
    secret_env: tuple[Value[str], ...] = ()
    """Names of Secrets whose values are put into the environment."""


class Pod(NamedTuple):
    """A Pod as a manifest describes it: `kind` is the kind of the object that makes it.

    `place` is where a finding about something missing stands: the name of the object.
    """

    kind: str
    name: str
    place: Place
    containers: tuple[PodContainer, ...]
    is_whole: bool
    """Whether every container has an image: else it is an overlay, and nothing can be said to be missing."""
    for_agents: bool = False
    """Whether it is a Sandbox of the Kubernetes SIG's agent-sandbox: made to run code that is not trusted."""
    runtime_class: Value[str] | None = None
    mounts_token: Value[bool] | None = None
    """`automountServiceAccountToken` of the Pod; its ServiceAccount decides where it is not set."""
    service_account: Value[str] | None = None
    host_paths: tuple[Value[str], ...] = ()
    """Paths of the node that are mounted into a container, each once."""
    has_network_policy: bool = False
    """Whether the file holds a NetworkPolicy, or the object has one of its own."""

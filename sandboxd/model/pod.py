"""Settings that a Kubernetes Pod has in addition to those of its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.findings import Place
    from sandboxd.model.values import Value


class PodContainer(NamedTuple):
    """One container of a Pod: the settings that Pod Security checks, including those inherited from the Pod.

    None means "not set". `place` is the container's name in the file. A container without an image is a patch by an
    overlay; then `is_whole` is False.
    """

    name: str
    place: Place
    is_whole: bool
    run_as_non_root: Value[bool] | None = None
    run_as_user: Value[str] | None = None
    seccomp: Value[str] | None = None
    """The type of its seccomp profile: ``RuntimeDefault``, ``Localhost`` or ``Unconfined``."""
    is_privileged: bool = False
    host_process: Value[bool] | None = None
    secret_env: tuple[Value[str], ...] = ()
    """Names of Secrets whose values become environment variables."""


class Pod(NamedTuple):
    """A Pod as a manifest describes it; `kind` is the kind of the object that creates it.

    `place`, the object's name in the file, is the place of findings about something that is missing.
    """

    kind: str
    name: str
    place: Place
    containers: tuple[PodContainer, ...]
    is_whole: bool
    """Whether every container has an image; if not, it is a patch by an overlay, and missing settings mean nothing."""
    for_agents: bool = False
    """Whether it is a Sandbox of the Kubernetes SIG's agent-sandbox, which runs untrusted code."""
    runtime_class: Value[str] | None = None
    mounts_token: Value[bool] | None = None
    """`automountServiceAccountToken` of the Pod; None: its ServiceAccount decides."""
    service_account: Value[str] | None = None
    host_paths: tuple[Value[str], ...] = ()
    """Paths of the node that are mounted into a container, each once."""
    has_network_policy: bool = False
    """Whether the file contains a NetworkPolicy, or the object creates one itself."""

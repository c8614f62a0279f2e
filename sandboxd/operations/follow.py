"""Has one sandbox that runs enforce the user's present rights, whatever backend it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.operations import following

if TYPE_CHECKING:
    from sandboxd.backends.backend import Backend
    from sandboxd.operations.following import Outcome


def follow(backend: Backend, sandbox: str) -> Outcome:
    """Apply the present rights to a running sandbox, by its identity; nothing where the backend has no gateways.

    The only place that asks what kind of backend it is: gateways are not asked through `Backend`.
    """
    if isinstance(backend, DockerBackend):
        engine = backend.engine
        return following.follow_one(sandbox, backend.environ, lambda: engine)
    from sandboxd.backends.kubernetes.backend import KubernetesBackend
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.operations.on_cluster import following as on_cluster

    if isinstance(backend, KubernetesBackend):
        workspace = workspace_of(sandbox)
        target = Target(backend.cluster, backend.environ, workspace, workspace, name_of(sandbox))
        return on_cluster.follow(target)
    return following.Outcome(sandbox, False)

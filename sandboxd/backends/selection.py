"""Selects the backend that a command works with."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.backends.backend import Ability, Backend, Refusal
    from sandboxd.engine.client import Engine


def connect(
    on: str, environ: Mapping[str, str], engine: Callable[[], Engine] | None = None
) -> Backend:
    """The backend of the cluster that the context `on` of the user's kubeconfig names; this machine's engine for ''.

    :param engine: returns this machine's engine; None for that of `environ`
    :raises SandboxdError: there is no such context, or no engine
    """
    if on:
        from sandboxd.backends.kubernetes import api
        from sandboxd.backends.kubernetes.backend import KubernetesBackend

        return KubernetesBackend(api.connect(on, environ), environ)
    from sandboxd.backends.docker.backend import DockerBackend
    from sandboxd.engine.client import connect_from

    return DockerBackend(engine() if engine is not None else connect_from(environ), environ)


def lacks(on: str) -> Mapping[Ability, Refusal]:
    """`Backend.cannot` of what `connect` returns, without a connection."""
    if not on:
        return {}
    from sandboxd.backends.kubernetes.abilities import CANNOT

    return CANNOT

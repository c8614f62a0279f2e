"""Describes the cluster that a context of the user's kubeconfig selects, for the user to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.kubernetes import kubeconfig
from sandboxd.errors import SandboxdError
from sandboxd.policy import clusters
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from collections.abc import Mapping


class Destination(NamedTuple):
    """A cluster and namespace in words; `why_not` is the reason why the policy does not allow to use it, '' if it
    does.
    """

    words: str
    why_not: str = ""


def destination(on: str, environ: Mapping[str, str]) -> Destination:
    """Describe the cluster and namespace of the context `on`, by the kubeconfig and the policy; the cluster is not
    contacted.
    """
    words = f"the cluster of your context `{on}`"
    try:
        context = kubeconfig.load(on, environ)
    except SandboxdError as error:
        return Destination(f"{words}, whose namespace is not known: {error.message}")
    words += f", namespace `{context.namespace}`"
    try:
        demands = in_force(environ)
    except SandboxdError as error:
        return Destination(words, error.message)
    demand = clusters.obstacle(demands, on, context.server, context.namespace)
    return Destination(words, f"`{demand.path}` does not allow it" if demand is not None else "")

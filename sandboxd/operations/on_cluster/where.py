"""Which cluster and namespace a context of the user's kubeconfig means, for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cluster import kubeconfig
from sandboxd.errors import SandboxdError

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_words(on: str, environ: Mapping[str, str]) -> str:
    """The context `on` and its namespace, as the kubeconfig has them now; no cluster is asked."""
    text = f"the cluster of your context `{on}`"
    try:
        context = kubeconfig.load(on, environ)
    except SandboxdError as error:
        return f"{text}, whose namespace is not known: {error.message}"
    return f"{text}, namespace `{context.namespace}`"

"""`sandboxd egress` with `--on`: questions about the names of a sandbox on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.operations.on_cluster.egress import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.target import Target


def asker(where: Target) -> Callable[..., dict[str, Any]]:
    """A function that does `action` with `**arguments`, for several questions in a row."""
    names = Names(where)

    def ask(action: str, **arguments: Any) -> dict[str, Any]:
        return names.act(action, arguments)

    return ask

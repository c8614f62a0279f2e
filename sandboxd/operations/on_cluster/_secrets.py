"""Secrets that a sandbox on a cluster would need: its gateway has none, so what cannot work without is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def require_none(required: Iterable[object]) -> None:
    """:raises UsageError: a credential is required"""
    for name in required:
        raise UsageError(
            f"the credential `{name}` is required, and a gateway on a cluster is given no secret: whoever may read "
            "Secrets of its namespace, or run commands in its Pods, would have it",
            "run it on this machine: leave `--on` out",
        )

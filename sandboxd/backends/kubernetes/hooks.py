"""What this machine noted of the lifecycle hooks of a Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life import hook_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.kubeconfig import Context


def key_of(context: Context, pod: str) -> str:
    """The key of the record of a Pod's hooks: the server's address, not the context's name, which may change."""
    return f"{context.server}\n{context.namespace}\n{pod}"


def remarks(environ: Mapping[str, str], context: Context, pod: str, uid: str) -> tuple[str, ...]:
    """Sentences about hooks of the Pod `uid` that failed or did not run; () if all ran well."""
    record = hook_record.recall(environ, key_of(context, pod), uid)
    return record.lines() if record is not None else ()

"""Whose an object on a cluster is: the label that this machine's user puts on all objects."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.file_lock import locked_beside
from sandboxd.files import read_bytes, write_atomic
from sandboxd.folders import state_folder
from sandboxd.model.labels import OWNER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.backends.kubernetes.kubeconfig import Context

_VALUE = re.compile(rb"[0-9a-f]{32}")


def owner_of(environ: Mapping[str, str], *, make: bool) -> str:
    """The value of the label for this user on this machine: random, and the same for ever.

    :param make: whether to make it, if there is none; '' is returned otherwise
    :raises EnvironmentFailure: it cannot be kept
    """
    path = os.path.join(state_folder(environ), "clusters", "owner")
    if owner := _read(path):
        return owner
    if not make:
        return ""
    with locked_beside(path):
        if owner := _read(path):
            return owner
        value = secrets.token_hex(16)
        try:
            write_atomic(path, value.encode(), 0o600)
        except (OSError, SandboxdError) as error:
            raise EnvironmentFailure(
                f"cannot note whose the objects on the cluster are: {error}",
                "make room there, or set XDG_STATE_HOME to a folder that you can write",
            ) from None
    return value


def _read(path: str) -> str:
    with contextlib.suppress(SandboxdError):
        value = read_bytes(path, 64)
        if _VALUE.fullmatch(value):
            return value.decode()
    return ""


def add_label(document: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """A copy of an object with the label, which the Pod of a Sandbox has from the Sandbox's template."""
    copy = _with_label(document, owner)
    spec = document.get("spec") or {}
    if "podTemplate" in spec:
        copy["spec"] = {**spec, "podTemplate": _with_label(spec["podTemplate"], owner)}
    return copy


def _with_label(document: Mapping[str, Any], owner: str) -> dict[str, Any]:
    metadata = dict(document.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), OWNER: owner}
    return {**document, "metadata": metadata}


def is_ours(present: Mapping[str, Any], owner: str) -> bool:
    """Whether an object has this label of ours. The label is no secret: it proves nothing against an attacker."""
    return bool(owner) and _label(present) == owner


def is_anothers(present: Mapping[str, Any], owner: str) -> bool:
    """Whether an object has the label of another owner; one without a label is of an older version, or exported."""
    return _label(present) not in ("", owner)


def anothers(context: Context, kind: str, name: str) -> UsageError:
    """The error to report for an object in the place of ours."""
    return UsageError(
        f"the {kind} `{name}` in the namespace `{context.namespace}` was made by somebody else, or from another machine",
        "`--name NAME` gives you a sandbox of your own",
    )


def _label(present: Mapping[str, Any]) -> str:
    labels = (present.get("metadata") or {}).get("labels") or {}
    return str(labels.get(OWNER) or "")

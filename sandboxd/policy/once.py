"""Notes that approvals for one connection were used, or may have been, where the gateway that had them has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.policy import approvals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def use_up(
    environ: Mapping[str, str], sandbox: str, serials: Iterable[str], *, seconds: float = 1.0
) -> bool:
    """Use up the approvals of `sandbox` with these serials, if the answers can be written at this moment.

    :param sandbox: its identity
    :param seconds: how long another process that writes the answers is waited for
    :returns: False if none could be noted: whoever knows the serials has to keep them, or a later gateway has them again
    """
    # Short: whoever gives or takes back must not hang behind another process.
    try:
        approvals.use_up(environ, workspace_of(sandbox), serials, seconds=seconds)
    except SandboxdError:
        return False
    return True

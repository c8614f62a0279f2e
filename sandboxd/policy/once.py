"""Notes that approvals for one connection were used, or may have been, where the gateway that had them has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.policy import approvals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def use_up(environ: Mapping[str, str], sandbox: str, serials: Iterable[str]) -> bool:
    """Use up the approvals of `sandbox` with these serials, if the answers can be written at this moment.

    :param sandbox: its identity
    :returns: False if none could be noted: whoever knows the serials has to keep them, or a later gateway has them again
    """
    # Whoever gives or takes back waits for no other process.
    try:
        approvals.use_up(environ, workspace_of(sandbox), serials, seconds=1.0)
    except SandboxdError:
        return False
    return True

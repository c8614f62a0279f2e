"""Notes that approvals for one connection were used, or may have been, where the gateway that had them has ended."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.policy import approvals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def use_up(environ: Mapping[str, str], sandbox: str, serials: Iterable[str]) -> None:
    """Use up the approvals of `sandbox` with these serials, as far as the answers can be written at this moment.

    :param sandbox: its identity
    """
    # The first that cannot be written ends it: whoever gives or takes back waits for no other process.
    with contextlib.suppress(SandboxdError):
        for serial in serials:
            approvals.use_up(environ, workspace_of(sandbox), serial, time.time(), seconds=1.0)

"""A verification, by the daemon that runs or in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cli.operating import operate
from sandboxd.operations.verify import decode

if TYPE_CHECKING:
    from sandboxd.operations.verify import Options, Verified


def verify_sandbox(
    directory: str,
    *,
    name: str = "",
    container: str | None = None,
    is_fresh: bool = False,
    with_controls: bool = False,
) -> Verified:
    """Attack a sandbox, with its progress on stderr; see `operations.verify`."""
    options: Options = {
        "name": name,
        "container": container,
        "is_fresh": is_fresh,
        "with_controls": with_controls,
    }
    return decode(operate("verify", directory, options))

"""A verification, by the daemon that runs or in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.cli import progress
from sandboxd.cli.operating import operate
from sandboxd.operations.verify import decode

if TYPE_CHECKING:
    from sandboxd.operations.options import VerifyOptions
    from sandboxd.operations.verify import Verified


def verify_sandbox(directory: str, options: VerifyOptions, *, on: str = "") -> Verified:
    """Attack a sandbox, with its progress on stderr; see `operations.verify`.

    :param on: the context of the cluster that it runs on; '' for this machine
    """
    try:
        return decode(operate("verify", directory, options, on=on))
    finally:
        progress.clear()

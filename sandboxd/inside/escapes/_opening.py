"""Opening files of the kernel for writing, never writing to them."""

from __future__ import annotations

import os
from collections.abc import Iterable


def first_writable(paths: Iterable[str], none: str = "no path") -> str:
    """The first of `paths` that opens for writing.

    :raises OSError: none does; the last refusal, or `none` where there is no path at all
    """
    last = OSError(none)
    for path in paths:
        try:
            os.close(os.open(path, os.O_WRONLY))
            return path
        except OSError as error:
            last = error
    raise last

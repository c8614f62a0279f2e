"""Load a kernel module: code in the host's kernel. An empty file is offered, which is none."""

from __future__ import annotations

import errno
import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "load a kernel module"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_MODULE, filtered", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    empty = os.memfd_create("no-module")
    try:
        call("finit_module", empty, b"", 0)
    except OSError as error:
        # The kernel looked into the file, so a real module would have been taken.
        if error.errno not in (errno.ENOEXEC, errno.EINVAL, errno.ETXTBSY):
            raise
    finally:
        os.close(empty)
    return {"detail": "the kernel would take a module"}

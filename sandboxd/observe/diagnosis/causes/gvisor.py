"""What gVisor's kernel does not have, or does not let a program do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# strerror(3) of ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT and ENOPROTOOPT, which gVisor answers where it has no such call,
# socket family or option (https://gvisor.dev/docs/user_guide/compatibility/).
_MISSING = re.compile(
    r"Function not implemented|\bENOSYS\b|Address family not supported by protocol|Protocol not (?:available|supported)"
)
_RUNC = '`runtime = "runc"` in sandboxd.toml, then `sandboxd trust add`'
_COST = "the sandbox shares the host's kernel"


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the words are those of a kernel that has no such thing, under gVisor."""
    hit = find_line(failure, _MISSING) if sandbox.is_gvisor else None
    if hit is not None:
        because = f"gVisor's kernel may not have what the program asks for: `{hit[0]}`"
        yield Answer("gVisor", because, sandbox.decided_by("runtime"), _RUNC, _COST)

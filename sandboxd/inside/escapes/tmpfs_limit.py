"""Reserve more of a memory file system than its size: it is the host's memory.

One page more than the whole is asked for at once, which a kernel that counts refuses as a whole.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "reserve more than the size of a memory file system"
JUDGE = "open"
CLUSTER = "the sizes of volumes are kept by the kubelet, which evicts what is over them"
EXPECTED = {"runc": "size of the tmpfs", "runsc": "size of the tmpfs"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["tmpfs"]:
        raise NotApplicable("no memory file system has a size of its own")
    last = OSError("none can be written")
    for folder, size in facts["tmpfs"].items():
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                os.posix_fallocate(file.fileno(), 0, size + 4096)
            return {"detail": f"{folder} gives more than its {size} bytes"}
        except OSError as error:
            last = error
    raise last

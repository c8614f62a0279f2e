"""Open device files that the image brings: drivers of the host's kernel, for whoever publishes an image.

gVisor opened them with the host's drivers until a commit of 17 August 2026; with one of CUSE that was root on
the host (CVE-2026-96812). These here do nothing when opened, and no sandbox has them of its own.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "open device files of the image"
JUDGE = "open"
CLUSTER = "device files of the image are looked for in a replica, and none is made there"
EXPECTED = {"runc": "device cgroup", "runsc": "not shown, or gVisor's own devices"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    folder = facts.get("image_nodes", "")
    if not folder or not os.path.isdir(folder):
        raise NotApplicable("the engine puts no device files into an image")
    last = OSError("none")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError as error:
            last = error
        else:
            return {"detail": f"the image's {name} opens"}
    raise last

"""Read a host file below any mount point: finds a mounted root or parent folder.

With `-v /:/host` every host file is at `/host/...`.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import mount_points, read_text

TITLE = "read a host file below a mount"
JUDGE = "token"
EXPECTED = {"runc": "no such mount", "runsc": "no such mount"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    parts = facts["canary"].strip("/").split("/")
    # Any tail of the path: the mount may begin at any folder above the file.
    tails = ["/".join(parts[i:]) for i in range(len(parts))]
    for point in mount_points():
        for tail in tails:
            text = read_text(os.path.join(point, tail))
            if text:
                return {"token": text, "detail": os.path.join(point, tail)}
    raise FileNotFoundError("no mount holds it")

"""Open credential files in whatever host folder is mounted: ssh keys, cloud and registry tokens.

Files are opened and closed; nothing is read from them.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import mount_points

TITLE = "open credential files of a mounted home"
JUDGE = "workspace"
EXPECTED = {"runc": "no such mount", "runsc": "no such mount"}

_NAMES = (
    ".ssh/id_rsa",
    ".ssh/id_ed25519",
    ".ssh/config",
    ".ssh/authorized_keys",
    ".aws/credentials",
    ".docker/config.json",
    ".kube/config",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".config/gh/hosts.yml",
    ".config/gcloud/credentials.db",
    ".gnupg/pubring.kbx",
    ".azure/msal_token_cache.json",
    ".bash_history",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    reached = []
    for point in mount_points():
        for name in _NAMES:
            folder, _, file = name.rpartition("/")
            # The home, its subfolder or the file itself may be what is mounted.
            candidates = [os.path.join(point, name), os.path.join(point, file)]
            candidates += [point] if point.endswith("/" + name) else []
            for path in candidates if folder else candidates[:1] + candidates[2:]:
                try:
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                except OSError:
                    continue
                if path not in reached:
                    reached.append(path)
    if not reached:
        raise FileNotFoundError("no credential file in any mount")
    return {"detail": "opened for reading", "reached": reached}

"""Find a service account's token: with it a Pod asks the API server, or the cloud, in somebody's name.

Admission adds one where a Pod does not say that it wants none; clouds add theirs. Files are opened and closed;
nothing is read from them. https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import mount_points

TITLE = "find a service account's token"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "no token is mounted", "runsc": "no token is mounted"}
REMEDY = (
    "something of the cluster mounts a token into each Pod: `sandboxd drift` names what was added"
)

_VARIABLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AZURE_FEDERATED_TOKEN_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
)
_FOLDERS = ("/var/run/secrets", "/run/secrets")
_NAMES = ("token", "azure-identity-token", "eks-pod-identity-token", "istio-token")
_MOST = 200


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last: OSError = FileNotFoundError("no token in any mount")
    paths = [os.environ.get(name, "") for name in _VARIABLES]
    folders = [*_FOLDERS, *mount_points()]
    for top in _FOLDERS:
        for folder, inner, _ in os.walk(top):
            folders.append(folder)
            if len(folders) > _MOST:
                inner.clear()
    paths += [os.path.join(folder, name) for folder in folders for name in _NAMES]
    paths += [point for point in mount_points() if os.path.basename(point) in _NAMES]
    for path in dict.fromkeys(path for path in paths if path):
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            return {"detail": f"{path} opens"}
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            last = error
    raise last

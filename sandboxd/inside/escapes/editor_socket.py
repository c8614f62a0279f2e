"""Connect to an editor's or desktop's socket: `code` commands, Git credentials, the screen.

VS Code's server in the container passes commands to the editor on the person's machine.
"""

from __future__ import annotations

import glob
import os
import socket
from typing import Any

TITLE = "talk to the editor or the desktop"
JUDGE = "open"
LIVE = True
EXPECTED = {"runc": "no such socket", "runsc": "no such socket"}
DECLARED = {
    "dev": "the editor's own server listens there",
    "trusted": "the editor's own server listens there",
    "seed-baseline": "the editor's own server listens there",
}

_NAMES = (
    "VSCODE_IPC_HOOK_CLI",
    "VSCODE_GIT_IPC_HANDLE",
    "REMOTE_CONTAINERS_IPC",
    "GIT_ASKPASS_SOCK",
)
_PATTERNS = (
    "/tmp/vscode-*.sock",
    "/tmp/cursor-*.sock",
    "/tmp/zed-*.sock",
    "/tmp/.X11-unix/X*",
    "/run/user/*/vscode-*.sock",
    "/run/user/*/wayland-*",
)


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    paths = [os.environ.get(name, "") for name in _NAMES]
    for pattern in _PATTERNS:
        paths += glob.glob(pattern)
    last = OSError("no socket of an editor or desktop")
    for path in dict.fromkeys(path for path in paths if path):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(0.5)
                connection.connect(path)
            return {"detail": f"{path} answers"}
        except OSError as error:
            last = error
    raise last

"""The agent's socket in the sandbox, relayed by the stream. Sent behind the texts of `frames` and `relay`."""

from __future__ import annotations

import os
import socket
import sys

from sandboxd.inside.frames import Broken
from sandboxd.inside.pipes import Pipes
from sandboxd.inside.relay import Relay

SOCKET = "/tmp/sandboxd-ssh-agent"  # noqa: S108 - the one folder that each sandbox can write


def listen() -> socket.socket:
    """The listening socket; an old one at its path is replaced, since its relay has ended.

    :raises OSError: it cannot be made
    """
    if os.path.lexists(SOCKET):
        os.unlink(SOCKET)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    # Every user inside may use it: in one sandbox a file's mode protects nobody from another.
    os.chmod(SOCKET, 0o666)  # noqa: S103 - as above
    listener.listen(16)
    return listener


def main() -> int:
    try:
        relay = Relay(Pipes())
        relay.listen(listen(), "agent")
        while relay.turn(None):
            pass
    except OSError as error:
        sys.stderr.write(f"{SOCKET}: {error.strerror}")
        return 1
    except Broken:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

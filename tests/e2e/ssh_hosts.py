"""Hosts that take logins by SSH, in the network namespace of a test's internet; and a user's agent."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tests.e2e import outside
from tests.patience import eventually

# It wants a folder of its own in /run.
_START = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"'


def make_key(path: Path) -> Path:
    """A key pair; returns the public one."""
    keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(keygen, check=True)
    return path.with_suffix(".pub")


class SshHost:
    """An sshd with a key of its own; root may log in by the keys in `authorized`."""

    def __init__(self, pid: int, folder: Path, port: int, authorized: Path) -> None:
        """:param pid: a process of the network namespace to listen in"""
        folder.mkdir()
        self.host_key = make_key(folder / "host").read_text().rsplit(" ", 1)[0]
        self._log = folder / "log"
        options = {
            "ListenAddress": f"{outside.ADDRESS}:{port}",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": authorized,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *("nsenter", "-t", str(pid), "-n", "unshare", "--mount", "sh", "-c", _START),
                    *("sh", "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *words),
                ],
                stderr=log,
            )
        eventually(lambda: "Server listening" in self.log(), self.log)

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class UserAgent:
    """A real `ssh-agent` with some keys."""

    def __init__(self, folder: Path, *keys: Path) -> None:
        self.socket = str(folder / "agent.sock")
        self._process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", self.socket], stdout=subprocess.DEVNULL
        )
        eventually(self._listens)
        environ = {**os.environ, "SSH_AUTH_SOCK": self.socket}
        subprocess.run(["ssh-add", "-q", *map(str, keys)], env=environ, check=True)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.socket) == 0

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

"""The entries by which ssh on this machine reaches sandboxes: keys made for one sandbox each, and the settings."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DOMAIN = "sandboxd"
_NO_LETTER = re.compile(r"[^a-z0-9]+")

_SETTINGS = (
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "GlobalKnownHostsFile /dev/null",
    "StrictHostKeyChecking yes",
    "UpdateHostKeys no",
    "PreferredAuthentications publickey",
    "ForwardAgent no",
    "ForwardX11 no",
    "PermitLocalCommand no",
    "Tunnel no",
    "SendEnv -*",
)
"""What of the user's own settings must not count for a host that is not trusted."""


class Entry(NamedTuple):
    """The entry of one sandbox."""

    host: str
    """The name for ssh: ``shop.sandboxd``."""
    config: str
    """The path of the settings of all entries."""


class Keys(NamedTuple):
    """What the server inside gets, as texts; the user's private key is not among it."""

    host: str
    """The private key that the server proves itself by."""
    user: str
    """The public key that it lets in."""


def make(
    environ: Mapping[str, str], sandbox: str, names: Sequence[str], user: str, command: list[str]
) -> Entry:
    """Write the entry of a sandbox, with new keys if it has none.

    :param names: that of the sandbox, if it has one, and that of its project
    :param user: whom the server inside logs in
    :param command: connects standard input and output with that server
    :raises UsageError: the command cannot be written into the settings of ssh
    :raises EnvironmentFailure: no keys can be made
    """
    folder = _folder(environ, sandbox)
    proxy = shlex.join(command)
    if not all(each.isprintable() for each in (proxy, folder)) or '"' in folder:
        raise UsageError(
            "the settings of ssh cannot hold the path of this project, or of your state folder",
            "rename the folder that has a line break or a quote in its name",
        )
    # Folders above the last one get the mode of the umask.
    os.makedirs(_all(environ), mode=0o700, exist_ok=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for kind in ("host", "user"):
        # Its program writes the public half last.
        if not os.path.exists(os.path.join(folder, f"{kind}.pub")):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, kind))
            _make_key(os.path.join(folder, kind))
    host = _free_name(environ, folder, names)
    public = read_source(os.path.join(folder, "host.pub")).text
    write_private(os.path.join(folder, "known_hosts"), f"{host} {public}".encode())
    lines = [
        f"User {user}",
        f"ProxyCommand {proxy.replace('%', '%%')}",
        f'IdentityFile "{_path(folder, "user")}"',
        f'UserKnownHostsFile "{_path(folder, "known_hosts")}"',
        *_SETTINGS,
    ]
    text = f"Host {host}\n" + "".join(f"  {line}\n" for line in lines)
    write_private(os.path.join(folder, "config"), text.encode())
    config = os.path.join(_all(environ), "config")
    write_private(config, f'Include "{_path(_all(environ), "*/config")}"\n'.encode())
    return Entry(host, config)


def keys(environ: Mapping[str, str], sandbox: str) -> Keys:
    """The keys for the server of a sandbox.

    :raises EnvironmentFailure: it has no entry
    """
    folder = _folder(environ, sandbox)
    if not os.path.exists(os.path.join(folder, "config")):
        raise EnvironmentFailure(
            "this sandbox has no entry for ssh", "`sandboxd ssh` makes one; `down` took it away"
        )
    private, public = (os.path.join(folder, name) for name in ("host", "user.pub"))
    return Keys(read_source(private).text, read_source(public).text)


def forget(environ: Mapping[str, str], sandbox: str) -> bool:
    """Remove the entry of a sandbox and its keys; returns whether there was one."""
    folder = _folder(environ, sandbox)
    there = os.path.isdir(folder)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return there


def _free_name(environ: Mapping[str, str], folder: str, names: Sequence[str]) -> str:
    """A name that no other sandbox's entry has."""
    parts = [_NO_LETTER.sub("-", name.lower()).strip("-") or "project" for name in names]
    others = set[str]()
    for other in os.scandir(_all(environ)):
        if other.path != folder and other.is_dir():
            with contextlib.suppress(Exception):
                others.add(read_source(os.path.join(other.path, "config")).text.split()[1])
    host = ".".join([*parts, _DOMAIN])
    if host in others:
        host = ".".join([*parts[:-1], f"{parts[-1]}-{os.path.basename(folder)[:6]}", _DOMAIN])
    return host


def _make_key(path: str) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sandboxd", "-f", path]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError:
        raise EnvironmentFailure(
            "`ssh-keygen` is not on this machine", "install OpenSSH's client (`openssh-client`)"
        ) from None
    if done.returncode:
        raise EnvironmentFailure(
            f"`ssh-keygen` made no key: {done.stderr.strip()[-200:]}", "mend that, then try again"
        )


def _path(*parts: str) -> str:
    """A path in the settings of ssh, which reads `%` as the begin of a token."""
    return os.path.join(*parts).replace("%", "%%")


def _all(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), "ssh")


def _folder(environ: Mapping[str, str], sandbox: str) -> str:
    return workspace_file(_all(environ), sandbox, "")

"""An entry for ssh on this machine that leads into a sandbox, by the image's own sshd over `exec`: no port is opened."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import ssh_entries
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.forward.ssh_entries import Entry

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")
"""What is taken for a user's name: the image says it, and ssh reads it in a config before the user's own, where a quote or
a `$` would count for every host.
"""

_NO_SERVER, _IS_ROOT, _NO_NAME = 64, 65, 66

_FIND = f"""
p=
for q in "$(command -v sshd)" /usr/sbin/sshd /usr/local/sbin/sshd; do [ -x "$q" ] && p=$q && break; done
[ -n "$p" ] || exit {_NO_SERVER}
[ "$(id -u)" != 0 ] || exit {_IS_ROOT}
n=$(id -un 2>/dev/null) || exit {_NO_NAME}
"""

# The session has the environment and the folder of `exec`; sshd would begin with an empty one, without the proxy.
_ENTER = """
c=${SSH_ORIGINAL_COMMAND-} t=${TERM-}
. "${0%/*}/env"
[ -z "$t" ] || export TERM="$t"
cd "$PWD" 2>/dev/null
[ -z "$c" ] && exec "${SHELL:-/bin/sh}" -l
exec "${SHELL:-/bin/sh}" -c "$c"
"""

_SERVE = (
    _FIND
    + """
umask 077
d=$(mktemp -d /tmp/.sandboxd-ssh.XXXXXX) || exit 1
trap 'rm -rf "$d"' EXIT
trap 'exit 1' HUP INT TERM
printf '%s' "$1" >"$d/host" && printf '%s' "$2" >"$d/user" && printf '%s' "$3" >"$d/enter" && export -p >"$d/env"
"$p" -i -e -f /dev/null -o LogLevel=ERROR -o HostKey="$d/host" -o AuthorizedKeysFile="$d/user" -o StrictModes=no \
  -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o AllowAgentForwarding=no -o X11Forwarding=no \
  -o AllowTcpForwarding=local -o AllowStreamLocalForwarding=local -o PermitTunnel=no -o PermitUserRC=no \
  -o PrintMotd=no -o PidFile=none -o Subsystem="sftp $(ls /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server \
  /usr/libexec/openssh/sftp-server /usr/libexec/sftp-server 2>/dev/null | head -n 1)" -o ForceCommand="sh $d/enter"
"""
)

_WHY = {
    _NO_SERVER: (
        "the image has no `sshd`, by which ssh enters the sandbox",
        "add the package `openssh-server` (Alpine: `openssh`) to the image; nothing of it has to be started",
    ),
    _IS_ROOT: (
        "the sandbox's user is root, and `sshd` logs nobody in as root without rights that a sandbox does not have",
        'name another user in sandboxd.toml: `user = "1000:1000"`',
    ),
    _NO_NAME: (
        "the sandbox's user has no name in the image, and `sshd` logs nobody in without one",
        "name a user of the image's /etc/passwd in sandboxd.toml: `user`",
    ),
}


def prepare(
    engine: Engine, directory: str, environ: Mapping[str, str], name: str, command: list[str]
) -> Entry:
    """Write the entry for the running sandbox `name` of the project that `directory` lies in.

    :param command: the command that begins `server`
    :raises ContainerGone: no such sandbox runs
    :raises EnvironmentFailure: its image, or this machine, lacks what is needed
    """
    from sandboxd.engine.client import Exec
    from sandboxd.engine.execute import run_quietly
    from sandboxd.life.find import locate
    from sandboxd.model.labels import PROJECT

    folder = project_folder(directory)
    sandbox = locate(engine, folder, name)
    look = ["sh", "-c", f'{_FIND}printf %s "$n"']
    code, output = run_quietly(engine, sandbox.id, Exec(look), stdout_only=True)
    user = output.decode("utf-8", "replace")
    if code in _WHY:
        raise EnvironmentFailure(*_WHY[code])
    if code or not _USER.fullmatch(user):
        raise EnvironmentFailure(
            "the sandbox does not say who its user is", "try `sandboxd exec id -un`"
        )
    names = [*filter(None, [name]), os.path.basename(folder)]
    return ssh_entries.make(environ, sandbox.labels[PROJECT], names, user, command)


def project_of(directory: str) -> str:
    """The folder of the project that `directory` lies in; its entry is for the whole project."""
    return project_folder(directory)


def server(sandbox: str, environ: Mapping[str, str]) -> list[str]:
    """The command inside that serves one connection by its standard input and output.

    :raises EnvironmentFailure: the sandbox has no entry
    """
    keys = ssh_entries.keys(environ, sandbox)
    return ["sh", "-c", _SERVE, "sh", keys.host, keys.user, _ENTER]

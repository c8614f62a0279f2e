"""Parts of a project that need a capability or a privilege, so that removing it would break the project.

Only what the files show is known: commands of hooks, and images that are known for what they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container

# Right -> commands that need it, and words in the names of images that do.
USES = {
    "NET_ADMIN": (
        r"\b(?:iptables|ip6tables|nft|ipset|ufw|wg|wg-quick|openvpn|tailscaled?|tc)\b"
        r"|[\w./-]{0,80}firewall[\w./-]{0,80}|\bip\s{1,9}(?:link|route|addr|rule|netns)\b",
        (
            *("wireguard", "wg-easy", "firezone", "gluetun", "openvpn", "tailscale"),
            *("pihole", "pi-hole", "adguard", "fail2ban"),
        ),
    ),
    "SYS_ADMIN": (r"(?:^|[;&|]|sudo)\s{0,9}(?:mount|unshare|sshfs|bwrap)\b|\bfuse", ()),
    "SYS_MODULE": (r"\b(?:modprobe|insmod)\b", ("wireguard", "wg-easy", "firezone")),
    "privileged": (
        r"\b(?:dockerd|binfmt|modprobe|losetup|k3s|kind create|minikube start)\b",
        ("binfmt", "qemu-user-static", "dind", "k3s", "kindest/node"),
    ),
}
_LONGEST = 20_000


def user_of(container: Container, right: str) -> str:
    """The part that needs `right`, for a message; '' where none is found."""
    pattern, images = USES[right]
    for key, command in _commands(container):
        use = re.search(pattern, command[:_LONGEST])
        if use is not None:
            return f"`{use[0].strip()}` in `{key}`"
    image = container.image.value if container.image is not None else ""
    if any(word in image for word in images):
        return f"the image `{image}`"
    return ""


def _commands(container: Container) -> Iterator[tuple[str, str]]:
    """The commands that run in the container, each with the key that it stands under."""
    for value in (*container.lifecycle, *container.entrypoints):
        yield value.origin.key or "entrypoint", value.value
    for hook in container.hooks:
        yield hook.origin.key, hook.value.command

"""The user inside: the one that counts, and whether that is root."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value


def effective_user(container: Container) -> Value[str] | None:
    """The user of the editor's processes and of the hooks, None when that is left to the image."""
    return container.remote_user if container.remote_user is not None else container.user


def is_root(user: str) -> bool:
    """`user` or `user:group`, by name or by number; to an engine `+0` is that number, too."""
    name = user.split(":", 1)[0].strip()
    number = name[1:] if name[:1] in ("+", "-") else name
    return name == "root" or (number.isdecimal() and int(number) == 0)


def maps_root(host: HostFacts) -> bool:
    """True if the engine is known to make root inside an ordinary user outside."""
    engine = host.engine
    return engine is not None and (
        engine.rootless is True or any("userns" in option for option in engine.security_options)
    )

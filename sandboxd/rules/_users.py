"""The user inside: which setting decides, and whether that user is root."""

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
    """Whether `user` or `user:group` is root, by name or by number; engines read `+0` as that number, too."""
    name = user.split(":", 1)[0].strip()
    number = name[1:] if name[:1] in ("+", "-") else name
    return name == "root" or (number.isdecimal() and int(number) == 0)


def maps_root(host: HostFacts) -> bool:
    """Whether the engine is known to map root inside to an ordinary user outside."""
    engine = host.engine
    return engine is not None and (
        engine.rootless is True or any("userns" in option for option in engine.security_options)
    )

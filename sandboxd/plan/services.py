"""The other services of a Compose project that `sandboxd up` can start beside the workspace, behind its gateway.

Only what is wholly understood is started: a key that is not in these lists may be the one that matters.
Decision 37 says what such a service gets.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.config.values import takes_from_host
from sandboxd.egress.names import NotAName, normal
from sandboxd.model.container import Container
from sandboxd.plan.sidecars import weakness
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from sandboxd.kinds.compose.project import Part, Project
    from sandboxd.kinds.compose.project import Service as Written
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.workspace import WorkspaceFacts

KEPT_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
"""What entry points need that begin as root and step down to a user of their own."""

MOST = 512
"""How many names of services a gateway knows: so many addresses are kept for them."""

_READ = frozenset(
    [
        "image",
        "command",
        "entrypoint",
        "environment",
        "user",
        "working_dir",
        "volumes",
        "tmpfs",
        "read_only",
        "init",
        "shm_size",
        "cap_add",
        "cap_drop",
        "security_opt",
        "stop_signal",
    ]
)
# These say how Compose handles it, or what nobody inside needs to have.
_WITHOUT_EFFECT = frozenset(
    [
        "annotations",
        "container_name",
        "cpus",
        "deploy",
        "depends_on",
        "expose",
        "healthcheck",
        "hostname",
        "labels",
        "logging",
        "mem_limit",
        "memswap_limit",
        "networks",
        "platform",
        "profiles",
        "pull_policy",
        "restart",
        "scale",
        "stdin_open",
        "stop_grace_period",
        "tty",
        "ulimits",
    ]
)
_NAMED = {"ports": "its published ports are not published"}


class Service(NamedTuple):
    """A service as its project writes it; `command` and `entrypoint` are None where the image's count."""

    name: str
    """As a name for DNS, '' where it is none."""
    container: Container
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    obstacle: str = ""
    """Why it cannot be started here, in words that follow its name; '' where it can."""
    without: tuple[str, ...] = ()
    """What of it has no effect here, in words."""


def read(project: Project, sidecars: Iterable[Container]) -> tuple[Service, ...]:
    """The services that `sidecars` are, in the order of their names."""
    return tuple(
        _read(project.services[sidecar.name], sidecar)
        for sidecar in sorted(sidecars, key=lambda each: each.name)
        if sidecar.name in project.services
    )


def names(services: Iterable[Service]) -> tuple[str, ...]:
    """The names that they have in DNS, each once, in the order by which they get their addresses."""
    return tuple(dict.fromkeys(service.name for service in services if service.name))[:MOST]


def choose(
    services: tuple[Service, ...], workspace: WorkspaceFacts, notes: Notes
) -> tuple[Service, ...]:
    """Those that `up` starts; the others are named with the reason."""
    known, chosen = names(services), dict[str, Service]()
    for service in services:
        written = service.container.name
        why = weakness(service.container, workspace) or service.obstacle
        if not why and service.name in chosen:
            why = f"is called as `{chosen[service.name].container.name}` is"
        if not why and service.name not in known:
            why = f"is one of more than {MOST}"
        if why:
            notes.downgrade(
                "service",
                f"`{written}` {why}: `sandboxd up` does not start it",
                "take that out of its Compose file, or start the service by other means",
            )
            continue
        for words in service.without:
            notes.downgrade("service", f"`{written}`: {words}")
        chosen[service.name] = service
    return tuple(chosen.values())


def _read(written: Written, sidecar: Container) -> Service:
    without = tuple(words for key, words in _NAMED.items() if key in written.parts)
    try:
        service = Service(normal(written.name), sidecar, without=without)
    except NotAName as error:
        return Service("", sidecar, obstacle=f"has a name that is {error}")
    try:
        command, entrypoint = (_words(written.last(key)) for key in ("command", "entrypoint"))
    except ValueError:
        return service._replace(obstacle="has a command whose words are not known")
    obstacle = _obstacle(written, sidecar)
    return service._replace(command=command, entrypoint=entrypoint, obstacle=obstacle)


def _obstacle(written: Written, sidecar: Container) -> str:
    known = _READ | _WITHOUT_EFFECT | _NAMED.keys()
    unknown = sorted(key for key in written.parts if key not in known and not key.startswith("x-"))
    if sidecar.unseen:
        return f"is not all seen: {sidecar.unseen[0].reason}"
    if unknown:
        return f"has `{unknown[0]}`, which `sandboxd up` does not read"
    if sidecar.image is None:
        return "names no image"
    for value in sidecar.env:
        if _is_unknown(value.value.value):
            return f"takes `{value.value.name}` from the host's environment"
    for mount in sidecar.mounts:
        if mount.value.type == "bind":
            return f"mounts `{mount.written}`, a path of the host"
        if mount.value.options and mount.value.type == "volume":
            return f"mounts `{mount.written}` with options"
    for capability in sidecar.cap_add:
        if capability.value not in KEPT_CAPABILITIES:
            return f"adds the capability `{capability.value}`"
    for option in sidecar.security_opt:
        if option.value.name != "no-new-privileges":
            return f"has a filter of its own: `{option.written}`"
    texts = [field.value for field in (sidecar.image, sidecar.user, sidecar.working_dir) if field]
    return "has a variable whose value is not known" if any(map(_is_unknown, texts)) else ""


def _is_unknown(text: str) -> bool:
    # A `$$` was read already: a dollar sign that is meant as such cannot be told from a variable any more.
    return takes_from_host(text) or "$" in text


def _words(part: Part | None) -> tuple[str, ...] | None:
    """The words of a command as Compose reads it.

    :raises ValueError: quotes do not match, or a value is not known
    """
    if part is None:
        return None
    node = yaml.target(part.node)
    if node.kind == "array":
        texts = [part.file.text(yaml.target(item)) or "" for item in node.items]
        words = [_resolve(part, text) for text in texts]
    else:
        text = part.file.text(node)
        if text is None:
            return None
        words = shlex.split(_resolve(part, text))
    return tuple(words)


def _resolve(part: Part, text: str) -> str:
    """`text` with its variables replaced, and `$$` as the dollar sign that it means.

    :raises ValueError: a variable is not known
    """
    resolved = part.file.resolve(text.replace("$$", "\0"))
    if "$" in resolved:
        raise ValueError("a variable")
    return resolved.replace("\0", "$")

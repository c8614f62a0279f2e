"""Reads a service of a Compose project for `sandboxd up`, which starts it only if every key is known.

An unknown key could be the one that matters.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.config.values import takes_from_host
from sandboxd.egress.names import NotAName, normal
from sandboxd.formats.compose.values import entries
from sandboxd.plan import service_health, service_names
from sandboxd.plan.service import ProjectFile, Service
from sandboxd.syntax import shell_words, yaml
from sandboxd.syntax.substitution import fill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.formats.compose.project import Part
    from sandboxd.formats.compose.project import Service as Written
    from sandboxd.model.container import Container

_READ = frozenset(
    [
        "cap_add",
        "cap_drop",
        "command",
        "container_name",
        "depends_on",
        "entrypoint",
        "env_file",
        "environment",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "mem_limit",
        "network_mode",
        "networks",
        "pids_limit",
        "read_only",
        "security_opt",
        "shm_size",
        "stop_signal",
        "tmpfs",
        "user",
        "volumes",
        "working_dir",
    ]
)
# These say how Compose handles it, or what nobody inside needs to have.
_WITHOUT_EFFECT = frozenset(
    [
        "annotations",
        "cpus",
        "deploy",
        "expose",
        "labels",
        "logging",
        "memswap_limit",
        "platform",
        "profiles",
        "pull_policy",
        "scale",
        "stdin_open",
        "stop_grace_period",
        "tty",
        "ulimits",
    ]
)
_NAMED = {
    "ports": "its published ports are not published: `sandboxd forward {name}:PORT` opens one here",
    "build": "it is not built: `docker compose build {name}` makes its image",
    "restart": "",
}


def read(written: Written, sidecar: Container, workspace_service: str) -> Service:
    """The service `sidecar`, whose keys in the Compose file are `written`.

    :param workspace_service: the name of the workspace's own service
    """
    without = tuple(
        words.format(name=written.name)
        for key, words in _NAMED.items()
        if words and key in written.parts
    )
    try:
        service = Service(normal(written.name), sidecar, without=without)
    except NotAName as error:
        return Service("", sidecar, obstacle=f"has a name that is {error}")
    try:
        service = service._replace(
            command=_words(written.last("command")),
            entrypoint=_words(written.last("entrypoint")),
        )
    except ValueError as error:
        return service._replace(obstacle=f"has a command whose words are not known: {error}")
    try:
        service = service._replace(
            needs=service_health.needs(written), health=service_health.health(written)
        )
        env, unset = _environment(written, sidecar)
        without = (*without, *_unset(written, unset))
    except ValueError as error:
        return service._replace(obstacle=f"has {error}")
    called = service_names.called(written)
    shares = network_owner(written) == workspace_service and bool(workspace_service)
    return service._replace(
        hostname=called.hostname,
        aliases=called.names,
        without=(*without, *called.without),
        env=tuple(f"{name}={value}".replace("\0", "$") for name, value in env.items()),
        files=_files(sidecar),
        shares=shares,
        obstacle=_obstacle(written, sidecar, env, shares),
    )


def network_owner(written: Written) -> str:
    """The service whose network it shares (`network_mode: service:NAME`); '' if it has its own."""
    last = written.last("network_mode")
    text = last.file.resolve(last.file.text(last.node) or "") if last is not None else ""
    kind, _, name = text.partition(":")
    return name if kind == "service" else ""


def _obstacle(written: Written, sidecar: Container, env: Mapping[str, str], shares: bool) -> str:
    known = _READ | _WITHOUT_EFFECT | _NAMED.keys()
    unknown = sorted(key for key in written.parts if key not in known and not key.startswith("x-"))
    if sidecar.unseen:
        return f"is not all seen: {sidecar.unseen[0].reason}"
    if unknown:
        return f"has `{unknown[0]}`, which `sandboxd up` does not read"
    if sidecar.image is None:
        return "names no image" + (", only a `build`" if sidecar.build is not None else "")
    if sidecar.network is not None and not shares:
        return f"has `network_mode: {sidecar.network.value}`"
    for name, value in env.items():
        if _is_unknown(value):
            return f"takes `{name}` from the host's environment"
    for field in (sidecar.memory, sidecar.shm_size):
        if field is not None and size(field.value) is None:
            return f"has the size `{field.value}`"
    for mount in sidecar.mounts:
        if (
            mount.value.type == "bind"
            and sidecar.read_only_rootfs
            and sidecar.read_only_rootfs.value
        ):
            return f"is read-only, so that no copy of `{mount.written}` can be put into it"
        if mount.value.options and mount.value.type == "volume":
            return f"mounts `{mount.written}` with options"
    for option in sidecar.security_opt:
        if option.value.name != "no-new-privileges":
            return f"has a filter of its own: `{option.written}`"
    texts = [field.value for field in (sidecar.image, sidecar.user, sidecar.working_dir) if field]
    return "has a variable whose value is not known" if any(map(_is_unknown, texts)) else ""


def _is_unknown(text: str) -> bool:
    return takes_from_host(text) or "$" in text


def _environment(written: Written, sidecar: Container) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables, with only the project's own `.env` filled in, and the names that are set nowhere.

    `environment` overrides files. As with Compose, what is set nowhere is empty, and a variable without a value is left
    out then. A dollar sign of a known value is kept as a zero byte: one that is left is of a file, and not known.

    :raises ValueError: a required variable is not set
    """
    unset = dict[str, None]()
    values = {
        pair.value.name: pair.value.value for pair in sidecar.env if pair.origin.key == "env_file"
    }
    for part in written.parts.get("environment", ()):
        for name, text, node in entries(part, "="):
            values.pop(name, None)
            if yaml.tag(node) != "!reset":
                filled = fill(f"${{{name}}}" if text is None else text, part.file.dotenv.get)
                unset |= dict.fromkeys(filled.unset)
                if text is not None or not filled.unset:
                    values[name] = filled.text.replace("$", "\0")
    return values, tuple(unset)


def _files(sidecar: Container) -> tuple[ProjectFile, ...]:
    """The files of the project itself that are mounted; a mount from outside of it is an obstacle already."""
    workspace = sidecar.workspace or ""
    return tuple(
        ProjectFile(posixpath.relpath(mount.value.source, workspace), mount.value.target)
        for mount in sidecar.mounts
        if mount.value.type == "bind" and workspace
    )


def size(text: str) -> int | None:
    """The number of bytes in ``64m`` or ``1.5gb``; None for another form."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?([bkmgt]?)i?b?", text.lower())
    return None if match is None else int(float(match[1]) * 1024 ** "bkmgt".index(match[2] or "b"))


def _words(part: Part | None) -> tuple[str, ...] | None:
    """The words of a command as Compose reads it.

    :raises ValueError: quotes do not match, or a value is not known
    """
    if part is None:
        return None
    node = yaml.target(part.node)
    if node.kind == "array":
        texts = [part.file.text(yaml.target(item)) or "" for item in node.items]
        words = [part.file.fill(text).text for text in texts]
    else:
        text = part.file.text(node)
        if text is None:
            return None
        words = shell_words.split(part.file.fill(text).text)
    return tuple(words)


def _unset(written: Written, of_environment: Iterable[str]) -> tuple[str, ...]:
    """A sentence about the variables that are set nowhere, in the service's commands and its environment: Compose has
    them empty, too.
    """
    parts = [part for key in ("command", "entrypoint") if (part := written.last(key))]
    for part in written.parts.get("healthcheck", ()):
        if (test := yaml.get(part.node, "test")) is not None:
            parts.append(part._replace(node=test))
    names = dict.fromkeys(of_environment)
    for part in parts:
        node = yaml.target(part.node)
        for each in node.items if node.kind == "array" else (node,):
            names |= dict.fromkeys(part.file.fill(part.file.text(each) or "").unset)
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    listed = ", ".join(f"`{name}`" for name in names)
    return (
        f"{listed} {verb} not set in the project's `.env`, so empty in what it runs: "
        "`sandboxd up` reads no variable of the host",
    )

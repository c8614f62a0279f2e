"""Docker's spellings of a mount: the CSV of `--mount`, the colons of `--volume`, `--tmpfs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.container import Mount
from sandboxd.syntax.docker_run_flags import BOOLEANS

if TYPE_CHECKING:
    from sandboxd.formats import Resolver
    from sandboxd.model.container import MountType

_SOURCE = ("source", "src")
_TARGET = ("target", "dst", "destination")
_TYPES: dict[str, MountType] = {"bind": "bind", "volume": "volume", "tmpfs": "tmpfs"}


class Written(NamedTuple):
    """A mount, and where in the text its source stands: start and end."""

    mount: Mount
    start: int
    end: int


def from_csv(text: str, variables: Resolver) -> Written:
    """The mount in ``type=bind,source=/a,target=/b,readonly``, which docker reads as one CSV record."""
    kind, source, target, read_only = "volume", "", "", False
    options: list[str] = []
    start, end = 0, len(text)
    for field, at in _csv_fields(text):
        key, _, value = field.partition("=")
        key = key.strip().lower()
        if key == "type":
            kind = value.lower()
        elif key in _SOURCE:
            source = value
            start = text.find(value, at)
            end = start + len(value)
        elif key in _TARGET:
            target = value
        elif key in ("readonly", "ro"):
            read_only = not value or BOOLEANS.get(value) is True
        elif key == "volume-opt":
            # The host path of a local volume is in this option, not in the source.
            if value.startswith("device="):
                start = text.find(value, at) + len("device=")
                end = start + len(value) - len("device=")
            options.append(variables.resolve(f"volume-opt={value}"))
        elif field:
            options.append(variables.resolve(field))
    mount = _mount(kind, source, target, read_only, options, variables)
    return Written(mount, max(start, 0), end if start >= 0 else len(text))


def from_volume(text: str, variables: Resolver) -> Written:
    """The mount in ``/host:/inside:ro``, ``name:/inside``, or ``/inside`` alone for a volume without a name."""
    parts = _split_volume(text)
    if len(parts) == 1:
        return Written(_mount("volume", "", parts[0], False, [], variables), 0, len(text))
    source, target = parts[0], parts[1]
    options = parts[2].split(",") if len(parts) > 2 else []
    read_only = "ro" in options or "readonly" in options
    rest = [option for option in options if option not in ("ro", "readonly", "rw")]
    kind = "bind" if _names_a_path(source) else "volume"
    return Written(_mount(kind, source, target, read_only, rest, variables), 0, len(source))


def from_tmpfs(text: str, variables: Resolver) -> Written:
    """The mount in ``/tmp:rw,size=64m``."""
    target, _, options = text.partition(":")
    rest = [option for option in options.split(",") if option]
    mount = _mount("tmpfs", "", target, "ro" in rest, rest, variables)
    return Written(mount, 0, len(text))


def from_fields(kind: str, source: str, target: str, variables: Resolver) -> Mount:
    """A mount in devcontainer.json's object form. The CLI passes these three fields on, and drops `readonly`."""
    return _mount(kind, source, target, False, [], variables)


def _mount(
    kind: str, source: str, target: str, read_only: bool, options: list[str], variables: Resolver
) -> Mount:
    host = variables.host_path(source) if kind == "bind" else variables.resolve(source)
    return Mount(
        _TYPES.get(kind, "other"), host, variables.resolve(target), read_only, tuple(options)
    )


def _csv_fields(text: str) -> list[tuple[str, int]]:
    """The fields of one CSV record, each with its offset; `"` quotes, `""` is a quote within."""
    fields: list[tuple[str, int]] = []
    at, size = 0, len(text)
    while at <= size:
        start = at
        if at < size and text[at] == '"':
            parts: list[str] = []
            at += 1
            while at < size:
                close = text.find('"', at)
                if close < 0:
                    close = size
                parts.append(text[at:close])
                at = close + 1
                if at >= size or text[at] != '"':
                    break
                parts.append('"')
                at += 1
            comma = text.find(",", at)
            fields.append(("".join(parts), start))
        else:
            comma = text.find(",", at)
            fields.append((text[at : comma if comma >= 0 else size], start))
        if comma < 0:
            break
        at = comma + 1
    return fields


def _split_volume(text: str) -> list[str]:
    """The parts between colons; a colon of ``${localEnv:X}`` or of a Windows drive does not separate."""
    parts: list[str] = []
    start = at = 0
    while at < len(text):
        if text.startswith("${", at):
            close = text.find("}", at)
            at = len(text) if close < 0 else close + 1
            continue
        if text[at] == ":" and not _is_drive(text, start, at):
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def _is_drive(text: str, start: int, colon: int) -> bool:
    letter, mark, slash = text[start:colon], text[colon : colon + 1], text[colon + 1 : colon + 2]
    return len(letter) == 1 and letter.isalpha() and mark == ":" and slash in ("/", "\\")


def _names_a_path(source: str) -> bool:
    return source.startswith(("/", "\\", ".", "~", "$", "%")) or _is_drive(source, 0, 1)

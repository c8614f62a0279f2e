"""AppArmor profiles: files without an extension, in a folder that is named after it or so named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.findings import Change
    from sandboxd.text import Edit, SourceText

NAME = "apparmor"
NAMES = ("*apparmor*", "apparmor/*", "apparmor.d/*", "*.aa")
LANGUAGES = ("apparmor",)
COMMENT = "#"
WATCHED: tuple[str, ...] = ()
containers = _defaults.containers
LARGEST = 128 * 1024
_LOOKED_AT = 20_000
_STATEMENT = (
    r"[/@$^\"{]|(?:#?include|abi|alias|allow|audit|capability|change_profile|dbus|deny|file|hat|if|"
    r"io_uring|link|mount|mqueue|network|owner|pivot_root|priority|profile|prompt|ptrace|quiet|remount|"
    r"set|signal|umount|unix|userns)\b(?!:)|\S+\s.*\{\s*\Z"
)
_EXTENSIONS = ("", "apparmor", "profile", "aa")


def matches(path: str) -> bool:
    folder, _, name = path.lower().rpartition("/")
    extension = name.rpartition(".")[2] if "." in name else ""
    if extension not in _EXTENSIONS:
        return False
    return (
        "apparmor" in name or extension == "aa" or folder.rpartition("/")[2].startswith("apparmor")
    )


def fits(path: str, text: str) -> bool:
    """Whether the text begins with a statement: licences, notes and scripts stand in such folders as well.

    A file without any statement fits.
    """
    # Late: few checks have a candidate for an AppArmor profile.
    import re

    for line in text[:_LOOKED_AT].splitlines():
        line = line.strip()
        if line.startswith("#include") or (line and not line.startswith("#")):
            return re.match(_STATEMENT, line) is not None
    return True


def recognises(path: str, text: str) -> bool:
    return "profile " in text and "{" in text and "," in text


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import apparmor

    return Document(NAME, source, apparmor.parse(source.text), "apparmor")


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    from sandboxd.formats._apparmor_profiles import profiles

    for profile in profiles(document):
        yield "AppArmorProfile", profile


def edits(document: Document, subject: Any, changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    from sandboxd.formats import _apparmor_profiles

    return _apparmor_profiles.edits(document, subject, changes)


can = _defaults.by_edits(edits)

"""Judges the changes of a sandbox by the host's own files: which may be written there, and which are dangerous.

Only the host's files are trusted. What the sandbox leaves out is not written; what it makes up is shown, since the
shown content is exactly what would be written.
"""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.plan.git_named import WHY, named_by_git
from sandboxd.plan.named_paths import Named, named
from sandboxd.policy.acts_on_host import beside_head, plain_path, weigh
from sandboxd.review import links
from sandboxd.review.changes import LARGEST

if TYPE_CHECKING:
    from sandboxd.review.changes import Change, Changes


_STARTS: dict[str, tuple[bytes, ...]] = {
    ".avif": (b"\0\0\0",),
    ".bmp": (b"BM",),
    ".flac": (b"fLaC",),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".ico": (b"\0\0\1\0",),
    ".icns": (b"icns",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".jpg": (b"\xff\xd8\xff",),
    ".mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    ".mp4": (b"\0\0\0",),
    ".ogg": (b"OggS",),
    ".otf": (b"OTTO", b"\0\1\0\0"),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".tif": (b"II*\0", b"MM\0*"),
    ".tiff": (b"II*\0", b"MM\0*"),
    ".ttf": (b"\0\1\0\0", b"true", b"ttcf"),
    ".wav": (b"RIFF",),
    ".webm": (b"\x1aE\xdf\xa3",),
    ".webp": (b"RIFF",),
    ".woff": (b"wOFF",),
    ".woff2": (b"wOF2",),
}
"""The first bytes of such files, by file name extension, as the formats define them."""


def is_media(path: str, data: bytes) -> bool:
    """Whether extension and first bytes are those of a picture, a font, audio or video."""
    return data.startswith(_STARTS.get(posixpath.splitext(path)[1].lower(), ()))


_LARGEST_SHOWN = 1 << 20

Kind = Literal["added", "changed", "deleted"]


class Here(NamedTuple):
    """A path on the host: `mode` is 0 if nothing exists there; `data` is the content of a regular file or the target of
    a link.
    """

    mode: int = 0
    ctime: int = 0
    data: bytes = b""
    behind_link: bool = False

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


class Item(NamedTuple):
    """One change to review.

    `old` and `new` are contents. `blocked` is the reason why it is never written, '' if it can be; `control` is the
    reason why it is only written if the user names it (see `review.choice`), '' if there is none; `remarks` are further
    warnings.
    """

    path: str
    kind: Kind
    old: bytes
    new: bytes
    executable: bool
    link: bool
    blocked: str
    control: str
    remarks: tuple[str, ...]
    here: Here


def items(changes: Changes) -> tuple[Item, ...]:
    """The changes to review, sorted by path."""
    by_git = named(named_by_git(changes.workspace, os.environ))
    results = []
    with beneath.open_folder(changes.workspace) as root:
        for change in changes.entries:
            item = _item(root, changes, change)
            if item is not None:
                results.append(_in_place(root, _as_named(item, by_git)))
    return tuple(results)


def _as_named(item: Item, by_git: Named) -> Item:
    """`item`, marked as a control file where a setting of git names it, a folder above it, or what is below it."""
    if item.control or not (by_git.has(item.path) or by_git.is_above(item.path)):
        return item
    return item._replace(control=WHY)


def _in_place(root: int, item: Item) -> Item:
    """`item`, marked as a control file where a `HEAD` beside it makes its folder a repository."""
    why = "" if item.control else beside_head(item.path)
    head = posixpath.join(posixpath.dirname(item.path), "HEAD")
    return item._replace(control=why) if why and look(root, head).mode else item


def look(root: int, path: str) -> Here:
    """The state of `path` below the open folder `root`; no link is followed."""
    name = os.path.basename(path)
    try:
        with beneath.parent_of(root, path, create=False) as folder:
            status = os.lstat(name, dir_fd=folder)
            data = b""
            if stat.S_ISREG(status.st_mode):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with reading(os.open(name, flags, dir_fd=folder)) as file:
                    # No more than the largest size that can be brought is read, to bound memory.
                    data = file.read(LARGEST + 1)
            elif stat.S_ISLNK(status.st_mode):
                data = os.fsencode(os.readlink(name, dir_fd=folder))
            return Here(status.st_mode, status.st_ctime_ns, data)
    except SandboxdError:
        return Here(behind_link=True)
    except OSError:
        return Here()


def _item(root: int, changes: Changes, change: Change) -> Item | None:
    here = look(root, change.path)
    moved_on = here.mode != 0 and _moved_on(changes, change.path, here)
    if change.kind == "gone":
        # The host made or changed it since the copy: it was never the sandbox's to delete.
        if not here.mode or stat.S_ISDIR(here.mode) or moved_on:
            return None
        return _weigh(root, change, "deleted", here, b"", "")
    new = changes.content(change)
    if change.kind in ("file", "link") and _same(change, here, new):
        return None
    if moved_on and _is_untouched(changes, change):
        return None
    blocked = {
        "large": "too large to be brought; take it out by `sandboxd exec -n -- cat`",
        "unreadable": "the sandbox's user cannot read it",
        "other": "neither a file nor a link",
    }.get(change.kind, "")
    if why := _why_hidden(changes, change.path):
        blocked = blocked or f"hidden from the sandbox ({why}): yours stays as it is"
    if moved_on:
        blocked = blocked or "changed on the host, too, since the sandbox started"
    if stat.S_ISDIR(here.mode) or here.behind_link:
        blocked = blocked or "a folder or a link of the host is in its place"
    return _weigh(root, change, "changed" if here.mode else "added", here, new, blocked)


def _why_hidden(changes: Changes, path: str) -> str:
    """Why the sandbox did not have what the host has at `path` or at a folder above it, however the name is spelt."""
    if not changes.hidden:
        return ""
    hidden = {plain_path(each): why for each, why in changes.hidden.items()}
    parts = plain_path(path).split("/")
    paths = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return next((hidden[each] for each in paths if each in hidden), "")


def _moved_on(changes: Changes, path: str, here: Here) -> bool:
    """Whether the host changed the file at `path` since the copy; the clock decides where no times were noted."""
    if changes.times is None:
        return here.ctime > changes.started
    before = changes.times.get(path)
    return before is None or before.changed != here.ctime


def _is_untouched(changes: Changes, change: Change) -> bool:
    """Whether the inside has the file as it was copied, by its time: `tar` may keep whole seconds."""
    if changes.times is None:
        return change.mtime <= changes.started
    before = changes.times.get(change.path)
    return before is not None and change.mtime in (
        before.written,
        before.written - before.written % 10**9,
    )


def _same(change: Change, here: Here, new: bytes) -> bool:
    if change.kind == "link":
        return stat.S_ISLNK(here.mode) and here.data == new
    return here.is_file and here.data == new and not (here.mode ^ change.mode) & 0o100


def _weigh(root: int, change: Change, kind: Kind, here: Here, new: bytes, blocked: str) -> Item:
    weight, why = weigh(change.path)
    control = why if weight == "control" else ""
    remarks = [why] if weight == "runs" else []
    if weight == "never":
        blocked = why
    if not change.path.isprintable() and kind != "deleted":
        blocked = blocked or "its name has characters that drive a terminal, or that nobody sees"
    executable = change.kind == "file" and bool(change.mode & 0o100)
    if executable and not (here.is_file and here.mode & 0o100):
        remarks.append("made executable")
    if change.kind == "link":
        blocked = blocked or links.reason_against(root, change.path, new)
        control = control or "a symbolic link"
    if change.kind == "file" and not is_shown(new):
        if here.is_file and is_shown(here.data):
            control = control or "it was text, and cannot be shown any more"
        elif executable or (weight == "runs" and not is_media(change.path, new)):
            control = control or "a program that cannot be shown"
        elif not is_media(change.path, new):
            control = control or "nobody can read it here: it is not text, or above 1 MiB"
    if stat.S_ISLNK(here.mode) and kind != "deleted" and change.kind != "link":
        remarks.append("takes the place of a symbolic link")
    return Item(
        change.path,
        kind,
        here.data,
        new,
        executable,
        change.kind == "link",
        blocked,
        control,
        tuple(remarks),
        here,
    )


def is_shown(data: bytes) -> bool:
    """Whether a content is shown: if it is text, and short enough to be read."""
    return len(data) <= _LARGEST_SHOWN and b"\0" not in data

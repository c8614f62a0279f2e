"""Writes files that the user copies out of a sandbox, with the checks of `review`: no link is followed or created.

The archive was made inside and is not trusted: names that lead elsewhere, and files on which tools of the host act, are
left out with the reason.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.observe import in_use
from sandboxd.plan import beneath
from sandboxd.policy.acts_on_host import beside_head, weigh
from sandboxd.review.bring import bring
from sandboxd.review.weigh import Item, look

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

MOST_ENTRIES = 50_000
_LONGEST_PATH = 4096


class Copied(NamedTuple):
    """The number of files that were written, and the paths that were not, each with the reason."""

    files: int
    left: tuple[tuple[str, str], ...]


def write(
    folder: str,
    name: str,
    archive: bytes,
    include: Collection[str],
    before_include: Callable[[str, bytes], None] = lambda _path, _data: None,
) -> Copied:
    """Write the single tree in `archive` as `name` below `folder`.

    :param folder: a folder that the user chose
    :param name: a path below `folder`, in place of the tree's own name
    :param include: paths, as reported in the result, of files on which tools of the host act and that the user wants
    :param before_include: called before one of them is written, with its path and content; prevents it by raising
    :raises EnvironmentFailure: it is not an archive of a single tree
    """
    left: list[tuple[str, str]] = []
    files = 0
    mounted = in_use.mounted_files()
    for path, data, executable, why in _members(archive, name):
        item = why or _item(folder, path, data, executable, include)
        if isinstance(item, str):
            left.append((path, item))
            continue
        if path in include:
            before_include(path, data)
        brought = bring(folder, [item], mounted)
        files += len(brought.done)
        left += brought.failed
    return Copied(files, tuple(left))


def _members(archive: bytes, name: str) -> Iterator[tuple[str, bytes, bool, str]]:
    """Path, content, whether it is executable, and why it is left out ('' if it is not)."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as tar:
            for number, member in enumerate(tar):
                if number == MOST_ENTRIES:
                    raise EnvironmentFailure(
                        f"there are more than {MOST_ENTRIES} files", "copy a part of it"
                    )
                if member.isdir():
                    continue
                path = _path(member.name, name)
                if not path:
                    yield member.name[:_LONGEST_PATH], b"", False, "its name leads elsewhere"
                elif member.issparse():
                    # Its holes take no room in the archive, and any amount of memory here.
                    yield path, b"", False, "a sparse file: pack it inside"
                elif not member.isreg():
                    yield path, b"", False, "neither a file nor a folder"
                else:
                    content = tar.extractfile(member)
                    assert content is not None
                    yield path, content.read(), bool(member.mode & 0o100), ""
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise EnvironmentFailure(
            f"what the sandbox sent is no archive: {error}",
            "`sandboxd exec -n -- tar c FILE > FILE.tar`",
        ) from None


def _path(written: str, name: str) -> str:
    """The path below the folder, with `name` in place of the tree's own name; '' for one that leads elsewhere."""
    parts = written.removeprefix("./").split("/")[1:]
    path = posixpath.join(name, *parts)
    is_odd = any(part in ("", ".", "..") for part in path.split("/"))
    return "" if is_odd or "\0" in path or len(path) > _LONGEST_PATH else path


def _item(
    folder: str, path: str, data: bytes, executable: bool, include: Collection[str]
) -> Item | str:
    """The file to write on the host, or the reason why it is not written, as text."""
    if not path.isprintable():
        return "its name has characters that drive a terminal, or that nobody sees"
    weight, why = weigh(path)
    if weight == "never":
        return why
    if weight == "control" and path not in include:
        return f"{why}: name it by `--include {path}`"
    try:
        with beneath.open_folder(folder) as root:
            here = look(root, path)
            if weight != "control" and path not in include:
                why = beside_head(path)
                if why and look(root, posixpath.join(posixpath.dirname(path), "HEAD")).mode:
                    return f"{why}: name it by `--include {path}`"
    except UsageError as error:
        return error.message
    if here.behind_link or (here.mode and not here.is_file):
        return "a folder or a link of the host is in its place"
    return Item(
        path,
        "changed" if here.mode else "added",
        here.data,
        data,
        executable,
        False,
        "",
        "",
        (),
        here,
    )

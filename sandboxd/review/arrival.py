"""The commands inside that take the chunks of a workspace (`review.original`), each with its input. Pure.

The image needs `sh`, `tar` and `dd`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.review import original

if TYPE_CHECKING:
    from sandboxd.review.original import Parcel, Whole

_BLOCK = 1 << 16

PART = ".sandboxd-part"
"""The name, in the workspace, of a file that arrives in pieces, until it is complete."""
ARRIVE = f'cd "$1" && rm -f {PART} && cat >{PART} && [ "$(wc -c <{PART})" -eq "$2" ]'
"""Shell text that saves its input as `PART`, and fails if it is not as long as it should be: a truncated list of names
could mean other files.
"""
_ARCHIVE = f"{ARRIVE} && tar -xpf {PART} && rm -f {PART}"
"""Saves the whole archive before it is unpacked, since tar would create truncated files from a truncated archive."""
_PIECE = f'cd "$1" && {{ [ "$2" -gt 0 ] || rm -f {PART}; }} && dd of={PART} bs={_BLOCK} seek="$2" conv=notrunc'
"""Writes a piece at its own offset: a writer whose connection broke may still be writing the same bytes."""
_WHOLE = f"""
cd "$1" || exit 1
path=$(cat; printf x)
[ "$(printf %s "$path" | wc -c)" -eq "$5" ] || {{ echo "its name came in part" >&2; exit 1; }}
path=./${{path%x}}
has() {{ [ "$(wc -c < "$1")" -eq "$2" ]; }}
[ -e {PART} ] || {{ has "$path" "$2"; exit; }}
has {PART} "$2" || {{ echo "it has other bytes than were sent" >&2; exit 1; }}
[ ! -d "$path" ] || {{ echo "a folder is in its place" >&2; exit 1; }}
chmod "$3" {PART}; touch -d "@$4" {PART} 2>/dev/null
mv -f {PART} "$path"
"""


def command(parcel: Parcel, folder: str, *, beside_work: bool = False) -> tuple[list[str], bytes]:
    """The command that takes `parcel` into `folder` inside, and its input; no words where there is nothing to take.

    :param beside_work: the sandbox may have worked there: no file may come in part, as if that were its work
    """
    if isinstance(parcel, original.Piece):
        place = str(parcel.offset // _BLOCK)
        return ["sh", "-c", _PIECE, "sh", folder, place], parcel.data
    if isinstance(parcel, original.Whole):
        return _finish(parcel, folder)
    if not parcel.data:
        return [], b""
    if beside_work:
        return ["sh", "-c", _ARCHIVE, "sh", folder, str(len(parcel.data))], parcel.data
    return ["tar", "-xpf", "-", "-C", folder], parcel.data


def _finish(whole: Whole, folder: str) -> tuple[list[str], bytes]:
    path, (mode, size, mtime, _), _ = whole.noted
    name = os.fsencode(path)
    # The length of the name: the beginning of one may be another file's.
    numbers = [str(size), f"{mode & 0o7777:o}", str(mtime // 10**9), str(len(name) + len("x"))]
    return ["sh", "-c", _WHOLE, "sh", folder, *numbers], name

"""The record of the state that both sides of an exchange last agreed on, in a private file that no sandbox sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.exchange import ref_names
from sandboxd.exchange.state import Agreed, Head
from sandboxd.files import read_bytes, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_VERSION = 1
_LARGEST = 64 << 20


def read(path: str) -> Agreed:
    """The record at `path`; an empty one where there is none or it is not valid.

    With an empty one the ancestry of the commits alone decides which side is newer.
    """
    try:
        document = json.loads(read_bytes(path, _LARGEST))
        if document["version"] != _VERSION:
            return Agreed({})
        return _agreed(document)
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return Agreed({})


def _agreed(document: Mapping[str, Any]) -> Agreed:
    refs = {
        str(name): str(oid)
        for name, oid in document["refs"].items()
        if ref_names.is_exchanged(name) and ref_names.is_oid(oid)
    }
    index = document["index"]
    head = Head(str(document["head"]["branch"]), str(document["head"]["commit"]))
    from_inside = frozenset(map(str, document.get("from_inside", ())))
    staged = None if index is None else str(index)
    return Agreed(refs, head, staged, from_inside, str(document.get("owner", "")))


def write(path: str, agreed: Agreed) -> None:
    """Replace the record at `path`.

    :raises OSError: its folder cannot be made
    :raises EnvironmentFailure: it cannot be written
    """
    document = {
        "version": _VERSION,
        "refs": dict(agreed.refs),
        "head": {"branch": agreed.head.branch, "commit": agreed.head.commit},
        "index": agreed.staged,
        "from_inside": sorted(agreed.from_inside),
        "owner": agreed.owner,
    }
    # After a crash of the machine an older record is as good: a side that moved since is compared anew.
    write_private(path, json.dumps(document).encode(), synced=False)

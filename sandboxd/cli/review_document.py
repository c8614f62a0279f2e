"""`sandboxd review --json`: the changes with both contents, for an editor's own view of differences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandboxd.review import choice, patch, weigh

if TYPE_CHECKING:
    from sandboxd.operations.review import Reviewed
    from sandboxd.review.weigh import Item

MOST_TEXT = 8 << 20
"""Characters of JSON of all contents; files behind that come without theirs."""

NO_COPY: dict[str, Any] = {
    "version": 1,
    "copy": False,
    "ended_seconds": None,
    "digest": None,
    "changes": [],
    "commits": False,
    "not_looked_at": None,
}
"""The document of a sandbox that works on the workspace itself."""


def document(review: Reviewed) -> dict[str, Any]:
    """The review as JSON data.

    `digest` is what `--expect` takes. `old` and `new` are null where a side has no content, or none that is
    shown (`shown`). `by_itself`: `--apply` brings the change without further options.
    """
    by_itself = {item.path for item in choice.choose(review.items, (), deletions=False).writes}
    left = MOST_TEXT
    rows = []
    for item in review.items:
        row = _row(item, item.path in by_itself)
        size = sum(len(json.dumps(row[side])) for side in ("old", "new"))
        if size > left:
            row = {**row, "shown": False, "old": None, "new": None}
        else:
            left -= size
        rows.append(row)
    changes = review.changes
    return {
        "version": 1,
        "copy": True,
        "ended_seconds": None if review.ended is None else round(review.ended, 1),
        "digest": choice.digest(review.items),
        "changes": rows,
        "commits": changes.bundle is not None,
        "not_looked_at": changes.not_looked_at() if changes.skipped else None,
    }


def _row(item: Item, by_itself: bool) -> dict[str, Any]:
    is_shown = weigh.is_shown(item.old) and weigh.is_shown(item.new)
    count = patch.count(item)
    return {
        "path": item.path,
        "kind": item.kind,
        "by_itself": by_itself,
        "added": count[0] if count else None,
        "removed": count[1] if count else None,
        "blocked": item.blocked or None,
        "control": item.control or None,
        "remarks": list(item.remarks),
        "link": item.link,
        "shown": is_shown,
        "old": _text(item.old) if is_shown and item.kind != "added" else None,
        "new": _text(item.new) if is_shown and item.kind != "deleted" else None,
    }


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")

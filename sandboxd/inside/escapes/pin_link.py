"""Write to a pinned file through a hard link that lies outside the pin."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable
from sandboxd.inside.escapes._pins import each_target, overwrite, pinned_files

TITLE = "write to a pinned file through a hard link"
JUDGE = "workspace"
EXPECTED = {"runc": "no links across mounts", "runsc": "no links across mounts"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    targets = pinned_files(facts, "pin-link")
    if not facts["link_folder"]:
        raise NotApplicable("nothing beside the pins can be written")
    link = os.path.join(facts["link_folder"], "keep.link")

    def through_link(path: str) -> None:
        os.link(path, link)
        try:
            overwrite(link)
        finally:
            os.unlink(link)

    return each_target(targets, through_link)

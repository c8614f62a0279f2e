"""Words of a repository in what an editor renders as Markdown."""

from __future__ import annotations

import re

_ACTIVE = re.compile(r"[\[<]|://|www\.")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&]|(?<=www)\.|:(?=//))")


def inert(text: str) -> str:
    """`text`, shown as it is where it would be more than words: a link, an image, HTML.

    A value between backticks may hold some itself, and an image that is shown is one that is loaded.
    """
    return _SPECIAL.sub(r"\\\1", text) if _ACTIVE.search(text) else text

"""What a script does with what it fetches: whether it compares it with a hash or a signature."""

from __future__ import annotations

import re

_COMPARED = (
    r"\b(?:sha(?:1|224|256|384|512)|md5|b2)sum\b[^;&|\n]{0,200}?\s(?:-[a-z]{0,4}c|--check)\b"
    r"|\bshasum\b[^;&|\n]{0,200}?\s(?:-[a-z0-9 ]{0,8}c|--check)\b"
    r"|\bgpg2?\b[^;&|\n]{0,200}?\s--verify\b|\bgpgv\b|\bcosign\s{1,10}verify|\bminisign\b[^;&|\n]{0,200}?\s-V"
)


def is_compared(script: str) -> bool:
    """Whether a part of a script compares files with hashes or signatures that it knows."""
    return re.search(_COMPARED, script) is not None

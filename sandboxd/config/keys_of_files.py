"""The keys of `[workspace]` about files that stay out of the sandbox."""

from __future__ import annotations

from sandboxd.config.key import TEXTS, Key
from sandboxd.config.values import IGNORE_PATTERN

HIDE = Key(
    "hide",
    "Files that stay out of the sandbox, as in a `.gitignore`; case does not matter",
    '[".env*", "secrets/"]',
    type=TEXTS,
    default="none; under `agent` and `untrusted`, files that look like a secret and that git does not track",
    pattern=IGNORE_PATTERN,
    limits="It needs a copy of the workspace: `layout` is `clone` or `synced`. A policy can add to it.",
)
SHOW = Key(
    "show",
    "Files that look like a secret, or that `hide` names, and that the sandbox has all the same, as in a `.gitignore`",
    '[".env.test"]',
    type=TEXTS,
    default="none",
    pattern=IGNORE_PATTERN,
    limits="It counts only after `sandboxd trust add`. What a policy hides stays hidden.",
)

"""The keys about files: those that stay out of the sandbox, those that enter beside the workspace, and those that are
somebody else's.
"""

from __future__ import annotations

from sandboxd.config.key import TEXTS, Key
from sandboxd.config.values import FOLDER_BESIDE, IGNORE_PATTERN

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
FOLDERS = Key(
    "folders",
    "Folders beside the workspace that the sandbox may read, by their paths from the workspace; `../lib` is `../lib` "
    "inside, too",
    '["../lib"]',
    type=TEXTS,
    default="none",
    pattern=FOLDER_BESIDE,
    limits="They count only after `sandboxd trust add`, are read-only, and are mounted with all that is in them. Not on "
    "a cluster, and not where a policy hides files.",
)
OTHERS = Key(
    "others",
    "Files that are somebody else's, as in a `.gitignore`: `check` counts what it finds in them, and does not list it",
    '["vendor/", "examples/"]',
    type=TEXTS,
    default="`vendor/`, `third_party/`, `testdata/`, `fixtures/`, `__fixtures__/`, `*.example` and `*.example.*`",
    pattern=IGNORE_PATTERN,
    limits="A file or folder that you name is checked all the same, and `--no-allow` lists everything.",
)

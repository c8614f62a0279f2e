"""Other spellings of a text that keep what it means, to see whether a finding depends on one.

A spelling may turn out to mean something else (a plain text that a bracket ends, a key that may not be
merged): the real readers are asked before it is used, see tests/integration/test_spellings.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.spellings.in_apparmor import apparmor_blanks, apparmor_comment, apparmor_quotes
from tests.spellings.in_dockerfile import (
    dockerfile_continued,
    dockerfile_flag,
    dockerfile_inside_a_word,
    dockerfile_keyword,
)
from tests.spellings.in_json import (
    go_case,
    go_other_case_before,
    jsonc_broken_duplicate_behind,
    jsonc_comma,
    jsonc_comment,
    jsonc_duplicate_before,
    jsonc_escape,
)
from tests.spellings.in_yaml import (
    yaml_alias,
    yaml_anchor,
    yaml_comment,
    yaml_extends,
    yaml_key_properties,
    yaml_merge,
    yaml_next_line,
    yaml_quotes,
    yaml_tag,
)

Spelling = Callable[[str, random.Random], str | None]
"""A text in another spelling; None where it has no place for it."""


def respelled(text: str, language: str, chance: random.Random, steps: int = 2) -> str:
    """`text` with some other spellings, `text` itself where there are none."""
    spellings = BY_LANGUAGE[language]
    for _ in range(steps):
        for spelling in chance.sample(spellings, len(spellings)):
            changed = spelling(text, chance)
            if changed is not None:
                text = changed
                break
    return text


BY_LANGUAGE: dict[str, tuple[Spelling, ...]] = {
    "compose": (
        yaml_anchor, yaml_tag, yaml_alias, yaml_quotes, yaml_key_properties, yaml_comment,
        yaml_next_line, yaml_merge, yaml_extends,
    ),
    "devcontainer": (
        jsonc_escape, jsonc_comment, jsonc_comma, jsonc_duplicate_before,
        jsonc_broken_duplicate_behind,
    ),
    "seccomp": (go_case, go_other_case_before, jsonc_escape),
    "daemon_json": (go_case, jsonc_escape),
    "dockerfile": (
        dockerfile_keyword, dockerfile_continued, dockerfile_inside_a_word, dockerfile_flag,
    ),
    "apparmor": (apparmor_blanks, apparmor_comment, apparmor_quotes),
}  # fmt: skip

"""What a rule page says of gVisor is said of a build on which it was seen; a build of tomorrow may differ."""

from __future__ import annotations

import re

import pytest

from sandboxd import rules

_BUILD = re.compile(r"\b(?:runsc |release-)20\d{6}\b|\bNot tried on a build\b")
"""The build, or that there is none."""
_NO_CLAIM = (
    # What the finding is about, how gVisor is chosen, and what happens outside of it.
    r"(It|This) is about gVisor[^.]*\.",
    r"This is how gVisor is chosen[^.]*\.",
    r"It is the choice of gVisor that is lost\.",
    r"`runtime` is the one that chooses gVisor\.",
    r"`--runtime=runsc` behind the word[^.]*\.",
    r"Only escapes from gVisor itself are reported\.",
    r"Builds do not run under gVisor[^.]*\.",
    r"In a folder that is open in a gVisor container[^.]*\.",
    r"The build that changes the id runs outside of gVisor[^.]*\.",
    r"The container runs under gVisor, and its image is built[^.]*\.",
    r"So the code of a stranger is outside of gVisor[^.]*\.",
    r"[^.]* mounts your `/etc`, under runc and under gVisor\.",
    r"[^.]*whose own service runs under gVisor[^.]*\.",
    r"Name a RuntimeClass whose handler is gVisor[^.]*\.",
    r"A line that asks for gVisor stands there[^.]*\.",
    r"The versions that the engine tells \([^)]*\) are compared[^.;]*[.;:]",
    r"Until then use gVisor, which does not use runc[^.]*\.",
    # Commands and settings that are spelled out.
    r"`[^`]*\brunsc (?:install|do)\b[^`]*`",
    r"--runtime=runsc\b",
    r"runtime: runsc\b",
)
_WORDS = re.compile(
    r"\bgVisor\b|\brunsc\b|capabilit(?:y|ies) (?:is|are) virtual|\boci-seccomp\b|\bhost-uds\b", re.I
)


def claims(document: str) -> str:
    """The part of a page that says something of gVisor, without examples and references; '' for none."""
    text = document.partition("## References")[0]
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = " ".join(re.sub(r"^(    .*|## .*)$", "", text, flags=re.MULTILINE).split())
    for sentence in _NO_CLAIM:
        text = re.sub(sentence, "", text).strip()
    sentences = re.split(r"(?<=[.:;])\s", text)
    return " ".join(sentence for sentence in sentences if _WORDS.search(sentence))


@pytest.mark.parametrize("rule", rules.ids())
def test_what_a_rule_says_of_gvisor_was_seen_on_a_build(rule: str) -> None:
    document = rules.page(rule)
    said = claims(document)
    assert not said or _BUILD.search(document), (
        f"name the build on which this was seen, as `runsc 20240729` or `release-20260817`: {said}"
    )


def test_a_claim_is_found_wherever_it_stands() -> None:
    assert claims("## Why it is bad\ngVisor does not\ndo it.\n\n## References\n- gVisor") == (
        "gVisor does not do it."
    )
    assert claims("## Under gVisor\nNo difference.\n\n    docker run --runtime=runsc x") == ""
    assert claims("## Under gVisor\nThis is about gVisor only. It ignores `oci-seccomp`.") == (
        "It ignores `oci-seccomp`."
    )
    assert _BUILD.search("Seen with runsc 20240729.") and not _BUILD.search("Seen with runsc 2024.")

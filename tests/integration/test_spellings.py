"""A finding stays however its setting is spelled, as long as the real reader reads the same.

Each literate case with a finding is written anew by spellings that keep what it means; Compose, the
parser of the dev container CLI and the parser of AppArmor are asked whether they do.
`SANDBOXD_MUTATIONS=50` tries so many of each case, from other seeds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd import formats
from sandboxd.text import SourceText
from tests import readers
from tests.rules import pages
from tests.spellings import BY_LANGUAGE, respelled
from tools.engine.packages import find_program

TRIES = int(os.environ.get("SANDBOXD_MUTATIONS", "1"))
# These are about the spelling itself.
_OF_SPELLING = ("duplicate-key", "-syntax-error", "-not-strict-json", "unused-suppression")


def _weak() -> Iterator[pages.Case]:
    for page in pages.pages():
        for case in pages.cases(page):
            if case.expected != "none\n" and not case.rule.endswith(_OF_SPELLING):
                yield case


WEAK = [
    case
    for case in _weak()
    if (kind := formats.find(case.source.path)) and kind.NAME in BY_LANGUAGE
]


def findings(case: pages.Case) -> Counter[str]:
    """The findings of the page's rule, in any file, by how grave they are."""
    report = case.report()
    return Counter(
        finding.severity.name for finding in report.findings if finding.rule == case.rule
    )


def variants(case: pages.Case, language: str) -> list[str]:
    """Other spellings of the text of a case, the same in each run."""
    texts: list[str] = []
    for number in range(TRIES):
        chance = random.Random(f"{case.rule}/{case.title}/{number}")
        text = respelled(case.source.text, language, chance, chance.randint(1, 3))
        if text != case.source.text:
            texts.append(text)
    return texts


def lost(language: str, means: Callable[[list[str]], list[Any]]) -> tuple[int, list[str]]:
    """How many spellings were tried that mean the same, and those that lose a finding.

    `means` says of texts what their real reader reads, None for one that it refuses.
    """
    tried = [
        (case, text)
        for case in WEAK
        if (kind := formats.find(case.source.path)) is not None and language == kind.NAME
        for text in variants(case, language)
    ]
    before = means([case.source.text for case, _ in tried])
    after = means([text for _, text in tried])
    count, silent = 0, []
    for (case, text), old, new in zip(tried, before, after, strict=True):
        if old is None or old != new:
            continue
        count += 1
        wanted = findings(case)
        got = findings(case._replace(source=SourceText(case.source.path, text)))
        if wanted - got:
            silent.append(f"{case.rule}: {case.title}\n{wanted} became {got}\n{text}")
    return count, silent


def test_compose(tmp_path: Path) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed: `apt-get install docker-compose`")
    count, silent = lost("compose", lambda texts: readers.compose(texts, tmp_path))
    assert not silent, "\n".join(silent)
    assert count > 20


@pytest.mark.node
def test_devcontainer(tmp_path_factory: pytest.TempPathFactory) -> None:
    parse = readers.jsonc_parser(tmp_path_factory)
    count, silent = lost("devcontainer", lambda texts: [container for container, _ in parse(texts)])
    assert not silent, "\n".join(silent)
    assert count > 100


@pytest.mark.parametrize("language", ["seccomp", "daemon_json", "dockerfile"])
def test_without_a_reader_at_hand(language: str) -> None:
    """Their spellings are built so that they mean the same; BuildKit's are proved in tests/e2e."""
    count, silent = lost(language, lambda texts: [0] * len(texts))
    assert not silent, "\n".join(silent)
    assert count > 15


def test_apparmor(tmp_path: Path) -> None:
    parser = find_program("apparmor_parser")
    if parser is None:
        pytest.skip("apparmor_parser is not installed: `apt-get install apparmor`")

    def compiled(text: str) -> bytes | None:
        file = tmp_path / "profile"
        file.write_text(text)
        done = subprocess.run([parser, "-QKS", file], capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    count, silent = lost("apparmor", lambda texts: [compiled(text) for text in texts])
    assert not silent, "\n".join(silent)
    assert count > 10


def test_every_spelling_is_used() -> None:
    """A spelling that fits no case would be a decoration."""
    for language, spellings in BY_LANGUAGE.items():
        texts = [
            case.source.text
            for case in WEAK
            if (kind := formats.find(case.source.path)) is not None and language == kind.NAME
        ]
        for spelling in spellings:
            spelled = (spelling(text, random.Random(n)) for text in texts for n in range(4))
            assert any(new is not None for new in spelled), spelling.__name__


def test_a_counter_of_findings_sees_a_loss() -> None:
    case = next(case for case in WEAK if case.rule == "privileged-container")
    silent = case._replace(source=SourceText(case.source.path, json.dumps({"image": "debian:12"})))
    assert findings(case) - findings(silent)

"""Real projects beside the checkout, where they are: nothing crashes, all spans are in the text."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.files import read_source
from sandboxd.findings import Severity
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.lint.fixing import fix_source
from sandboxd.text import SourceText
from tests.rules import needs

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


@pytest.fixture(scope="module")
def sources() -> list[SourceText]:
    if not CORPUS.is_dir():
        pytest.skip("no corpus of real projects beside the checkout")
    texts = []
    names = ("*devcontainer.json", "*compose*.y*ml", "*Dockerfile*")
    paths = sorted(path for name in names for path in CORPUS.rglob(name))
    for path in paths:
        if formats.find(str(path)) is None:
            continue
        try:
            texts.append(read_source(str(path)))
        except UnreadableError:
            continue
    assert len(texts) > 300
    return texts


def test_every_real_file_is_judged_within_its_time(sources: list[SourceText]) -> None:
    started = time.process_time()
    reports = [analysis.check_source(source, variables=Variables({})) for source in sources]
    assert time.process_time() - started < 0.05 * len(sources)
    for source, report in zip(sources, reports, strict=True):
        assert [s for s in report.skipped if "failed" in s.reason] == []
        for finding in report.findings:
            assert 0 <= finding.place.span.start <= finding.place.span.end <= len(source.text)


def test_no_need_of_a_rule_hides_a_finding_in_a_real_file(sources: list[SourceText]) -> None:
    hides = {source.path: needs.hidden(source, variables=Variables({})) for source in sources}
    assert {path: texts for path, texts in hides.items() if texts} == {}


def test_fixing_real_files_twice_is_fixing_them_once(sources: list[SourceText]) -> None:
    for source in sources:
        once = fix_source(source, unsafe=True, threshold=Severity.HINT)
        twice = fix_source(once.source, unsafe=True, threshold=Severity.HINT)
        assert twice.source.text == once.source.text, source.path
        left = [f.rule for f in once.report.findings if f.fixes and not f.suppressed]
        assert left == [], source.path

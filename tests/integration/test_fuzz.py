"""Mutated files of every kind: none crashes a check, stalls it, or is answered outside its text.

    SANDBOXD_FUZZ=1000000 SANDBOXD_FUZZ_SEED=7 pytest tests/integration/test_fuzz.py

The inputs follow from the seed alone. One that fails is made as small as it gets, and saved.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from sandboxd import formats
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.lint import analysis
from sandboxd.model.files import Files
from sandboxd.text import SourceText
from tests.rules import pages

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
INPUTS = int(os.environ.get("SANDBOXD_FUZZ", "100000"))
SEED = int(os.environ.get("SANDBOXD_FUZZ_SEED", "1"))
# Of processor time, for one input; real ones take a thousandth.
HANG_SECONDS = 1.0
# Larger ones say nothing new and take their time.
LARGEST = 2_500

WORDS = """
{ } [ ] ( ) , : ; = " ' ` $ ${ $( \\ / // /* */ # - -- --- << <<E | > & * ! ? % @ @{ ~ <<: &a *a
null true false 0 -1 1e999 0x1F privileged --privileged -v /:/x .. ../.. ${localEnv:HOME} ${A:-${B}}
!reset extends include services image FROM RUN
"""
BLANKS = ("\t", "\n", "\r", "\r\n", " ", "\0", "\x1b", "\u2028", "\ufeff", "\ud800", "\U0001f40b")
PIECES = (*WORDS.split(), *BLANKS, "# sandboxd: allow privileged-container -- x\n")


class HangError(BaseException):
    """Not an `Exception`, so that nothing takes it for a failed rule."""


def seeds() -> list[tuple[str, str]]:
    """Path and text of small files: the cases of the rules' pages, test projects, the corpus."""
    inputs: dict[tuple[str, str], None] = {}
    for page in pages.pages():
        for case in pages.cases(page):
            inputs[case.source.path.removeprefix("/project/"), case.source.text] = None
    for folder in (ROOT / "tests/projects", ROOT / "profiles", CORPUS):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            # Name and folder say the kind, and mean the same on every machine.
            name = f"{path.parent.name}/{path.name}"
            if path.is_file() and path.stat().st_size <= LARGEST and formats.find(name):
                with contextlib.suppress(UnicodeDecodeError):
                    inputs[name, path.read_text(encoding="utf-8")] = None
    return [(place, text) for place, text in inputs if len(text) <= LARGEST]


def mutated(texts: list[tuple[str, str]], chance: random.Random) -> tuple[str, str]:
    """One of `texts` with a few changes: cut, doubled, moved, mixed with another, tokens put in."""
    path, text = chance.choice(texts)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 2, 8, 40, 200)))
        how = chance.randrange(6)
        if how == 0:
            text = text[:start] + text[end:]
        elif how == 1:
            text = text[:end] + text[start:end] * chance.choice((1, 2, 9)) + text[end:]
        elif how == 2:
            text = text[:start] + chance.choice(PIECES) + text[end:]
        elif how == 3:
            text = text[:start] + chance.choice(PIECES) + text[start:]
        elif how == 4:
            other = chance.choice(texts)[1]
            at = chance.randrange(len(other) + 1)
            text = text[:start] + other[at : at + 80] + text[end:]
        else:
            text = text[:start]
        text = text[: 2 * LARGEST]
    return path, text


def fault(path: str, text: str) -> str | None:
    """What is wrong with the answer to a text; None where nothing is."""
    source = SourceText(f"/nowhere/project/{path}", text)
    variables = Variables({"HOME": "/home/kim"}, home="/home/kim", files=Files())
    host = HostFacts(home="/home/kim")
    try:
        report = analysis.check_source(
            source, host=host, variables=variables, fixes=analysis.Fixes.EDITS
        )
    except HangError:
        return "hangs"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for skipped in report.skipped:
        if "failed" in skipped.reason:
            return skipped.reason
    for finding in report.findings:
        places = [finding.place, *(related.place for related in finding.related)]
        spans = [place.span for place in places if place.path == source.path]
        spans += [edit.span for fix in finding.fixes for edit in fix.edits]
        if not all(0 <= start <= end <= len(text) for start, end in spans):
            return f"`{finding.rule}` points outside of the text: {spans}"
    return None


def smallest(path: str, text: str, fault: str) -> str:
    """`text` without what its fault can do without."""
    kind = fault.partition(":")[0]
    size = len(text) // 2
    until = time.process_time() + 60
    while size and time.process_time() < until:
        at = 0
        while at < len(text):
            shorter = text[:at] + text[at + size :]
            fault_now = timed(path, shorter)
            if fault_now is not None and fault_now.partition(":")[0] == kind:
                text = shorter
            else:
                at += size
        size //= 2
    return text


def timed(path: str, text: str) -> str | None:
    """As `fault`, ended after :data:`HANG_SECONDS` of processor time."""
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
    try:
        return fault(path, text)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def faults(inputs: int, seed: int) -> Iterator[tuple[int, str, str, str]]:
    texts = seeds()
    for number in range(inputs):
        path, text = mutated(texts, random.Random(f"{seed}:{number}"))
        fault = timed(path, text)
        if fault is not None:
            yield number, path, text, fault


def test_mutated_files() -> None:
    def hang(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, hang)
    try:
        for number, path, text, fault in faults(INPUTS, SEED):
            text = smallest(path, text, fault)
            saved = Path(tempfile.mkdtemp(prefix="sandboxd-fuzz-")) / Path(path).name
            saved.write_text(text, encoding="utf-8", errors="surrogatepass")
            raise AssertionError(
                f"seed {SEED}, input {number}: `{path}` {fault}\nsaved as {saved}:\n{text[:2000]!r}"
            )
    finally:
        signal.signal(signal.SIGVTALRM, before)


def test_every_kind_of_file_is_among_the_inputs() -> None:
    names = {kind.NAME for path, text in seeds() if (kind := formats.find(path, text))}
    assert names == set(formats.load())

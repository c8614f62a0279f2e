"""What an editor shows in a hurry is what a whole check finds."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.findings import Finding
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import UNKNOWN, Engine
from sandboxd.lint import analysis
from sandboxd.lsp.documents import OpenDocument, kind_of
from sandboxd.lsp.judgements import judge
from sandboxd.model.files import Files
from sandboxd.text import SourceText

ENVIRON = {"HOME": "/home/x"}
TEXTS = {
    "/nowhere/.devcontainer/devcontainer.json": (
        '{\n  "image": "x", // why\n  "privileged": true,\n  "capAdd": ["SYS_ADMIN"],\n'
        '  "runArgs": ["--pid=host", "-v", "/:/host"],\n  "mounts": ["source=/etc,target=/e"]\n}\n'
    ),
    "/nowhere/compose.yml": (
        "services:\n  app:\n    image: x\n    privileged: true\n    volumes:\n"
        "      - /var/run/docker.sock:/s\n    cap_add: [SYS_ADMIN]\n"
    ),
    "/nowhere/Dockerfile": "FROM x:latest\nUSER root\nRUN curl -k https://x | sh\n",
}


def judged(path: str, text: str) -> list[Finding]:
    document = OpenDocument("x:", 1, SourceText(path, text), kind_of(path))
    outcome = judge(document, ENVIRON, UNKNOWN, verify=False, texts={path: document.source})
    return [finding._replace(fixes=(), remedies=()) for finding in outcome.report.findings]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 200), st.integers(0, 40), st.text(max_size=9))
def test_any_edit_gives_what_a_whole_check_gives(path: str, at: int, gone: int, new: str) -> None:
    text = TEXTS[path][:at] + new + TEXTS[path][at + gone :]
    source = SourceText(path, text)
    variables = Variables.here(ENVIRON, Files({path: source}))
    whole = analysis.check_source(source, variables=variables)
    expected = [finding._replace(fixes=(), remedies=()) for finding in whole.findings]
    assert judged(path, text) == expected


@pytest.mark.parametrize("path", [path for path in sorted(TEXTS) if "compose" not in path])
def test_a_judgement_leaves_nothing_for_the_collector(path: str) -> None:
    judged(path, TEXTS[path])  # what is done once is done
    gc.collect()
    gc.disable()
    try:
        judged(path, TEXTS[path])
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 30


def test_the_label_that_the_engine_knows_of_an_image_is_judged_where_the_image_is_named() -> None:
    path = "/nowhere/.devcontainer/devcontainer.json"
    source = SourceText(path, '{ "image": "team/dev" }')
    labels = (("team/dev:latest", '[{"privileged": true}]'),)
    host = UNKNOWN._replace(engine=Engine("unix:///x.sock", image_labels=labels))
    document = OpenDocument("x:", 1, source, kind_of(path))
    outcome = judge(document, ENVIRON, host, verify=False, texts={path: source})
    [finding] = [f for f in outcome.report.findings if f.rule == "privileged-container"]
    start, end = finding.place.span
    assert (source.text[start:end], finding.origin) == ("team/dev", "label of image `team/dev`")

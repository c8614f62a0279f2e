"""Whatever a repository puts into its files, a check answers, and no rule fails."""

from __future__ import annotations

import json
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.findings import Report, Severity
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.lint import analysis
from sandboxd.lint.fixing import fix_source
from sandboxd.render.json import render as render_json
from sandboxd.text import SourceText
from tests.unit.render.test_text import render

PATH = "/nowhere/project/.devcontainer/devcontainer.json"
HERE = Variables({"HOME": "/home/kim", "ODD": "\udcff"}, None, "/home/kim", os.path.realpath)

NAMES = """
image build dockerComposeFile service name workspaceMount workspaceFolder privileged init
containerEnv containerUser remoteUser appPort features initializeCommand type source target
"""
KEYS = st.sampled_from(NAMES.split())
WORDS = """
-v -it --privileged --privileged=x --mount --cap-add=ALL --security-opt seccomp=unconfined
--pid=host --pids-limit --pids-limit=--9 --pids-limit=\u0663 ${localEnv:HOME} ${localEnv:ODD}/x ${
type=bind,source=/,target=/x source=~/.ssh,type=bind / // .. ../.. C:\\ //./pipe/ : = , -- -
no-new-privileges:false --network=host /var/run/docker.sock:/x --annotation host image
${localWorkspaceFolder}/.. ${localEnv:NOT:/}
"""
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(WORDS.split()),
    st.just("-v${localWorkspaceFolder}/\0:/x"),
    st.just("--pids-limit=" + "9" * 5000),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.one_of(KEYS, TEXTS), inner, max_size=4)
    ),
    max_leaves=20,
)
LISTS = st.one_of(st.lists(TEXTS, max_size=6), VALUES)
CONFIGS = st.builds(
    lambda some, arrays: {**some, **arrays},
    st.dictionaries(KEYS, VALUES, max_size=6),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("runArgs", "mounts", "capAdd", "securityOpt"), LISTS)
    ),
)


def answered(text: str) -> Report:
    source = SourceText(PATH, text)
    report = analysis.check_source(source, host=HostFacts(home="/home/kim"), variables=HERE)
    assert [s.reason for s in report.skipped if "failed" in s.reason] == []
    for finding in report.findings:
        assert 0 <= finding.place.span.start <= finding.place.span.end <= len(text)
    json.loads(render_json(report, "/nowhere"))
    shown = render(report, colour=False, width=60, cwd="/nowhere")
    assert all(char.isprintable() or char == "\n" for char in shown)
    return report


@given(CONFIGS)
@settings(max_examples=200, deadline=None)
def test_any_config(config: dict[str, object]) -> None:
    answered(json.dumps(config, ensure_ascii=False, indent=1).replace("\udcff", "?"))


@given(st.text(alphabet='{}[],:"\\/* \n\tabc', max_size=80))
@settings(deadline=None)
def test_any_text(text: str) -> None:
    answered(text)


@given(CONFIGS, st.sampled_from([None, 1, "\t"]))
@settings(max_examples=100, deadline=None)
def test_fixing_anything_twice_changes_nothing(
    config: dict[str, object], indent: int | str | None
) -> None:
    source = SourceText(PATH, json.dumps(config, indent=indent))
    once = fix_source(source, unsafe=True, threshold=Severity.HINT, variables=HERE)
    twice = fix_source(once.source, unsafe=True, threshold=Severity.HINT, variables=HERE)
    assert twice.source.text == once.source.text

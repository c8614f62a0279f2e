"""Fixing in passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.findings import Severity
from sandboxd.lint import fixing
from sandboxd.lint.fixing import fix_source
from sandboxd.rules.feature_legacy_github_id import NAMES
from sandboxd.text import SourceText

PATH = "/p/.devcontainer/devcontainer.json"

WEAK = """\
// The dev container of our shop. Ask Kim before you change it.
{
\t"name": "shop",
\t"image": "debian:12", // keep in step with CI
\t/* The payment simulator
\t   listens on localhost of the host. */
\t"runArgs": [
\t\t"--privileged",
\t\t"--cap-add=SYS_ADMIN", // for the profiler
\t\t"--security-opt", "seccomp=unconfined",
\t\t"--network=host",
\t\t"--init",
\t],
\t"mounts": [
\t\t// build images from inside
\t\t"source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind",
\t\t{ "type": "bind", "source": "${localEnv:HOME}${localEnv:USERPROFILE}", "target": "/h" },
\t\t"source=modules,target=/workspaces/shop/node_modules,type=volume"
\t],
\t"remoteUser": "dev" // not root
}
"""

FIXED = """\
// The dev container of our shop. Ask Kim before you change it.
{
\t"name": "shop",
\t"image": "debian:12", // keep in step with CI
\t/* The payment simulator
\t   listens on localhost of the host. */
\t"runArgs": [
\t\t"--init",
\t],
\t"mounts": [
\t\t// build images from inside
\t\t"source=modules,target=/workspaces/shop/node_modules,type=volume"
\t],
\t"remoteUser": "dev" // not root
}
"""


def fixed(text: str, **options: object) -> str:
    return fix_source(SourceText(PATH, text), **options).source.text  # type: ignore[arg-type]


def test_comments_and_order_are_kept() -> None:
    result = fix_source(SourceText(PATH, WEAK), unsafe=True)
    assert result.source.text == FIXED
    assert len(result.applied) == 6
    assert [f.rule for f in result.report.findings if f.severity > Severity.HINT] == []


def test_safe_fixes_only_by_default() -> None:
    result = fix_source(SourceText(PATH, WEAK))
    assert result.source.text == WEAK
    assert result.applied == ()
    gvisor = '{ "runArgs": ["--runtime=runsc", "--security-opt=seccomp=unconfined"] }'
    assert fixed(gvisor, threshold=Severity.HINT) == '{ "runArgs": ["--runtime=runsc"] }'


@pytest.mark.parametrize("threshold", [Severity.HINT, Severity.WARNING])
@pytest.mark.parametrize("text", [WEAK, WEAK.replace("\n", "\r\n"), FIXED, "{}", '{"image":"x"}'])
def test_fixing_twice_changes_nothing(text: str, threshold: Severity) -> None:
    once = fixed(text, unsafe=True, threshold=threshold)
    assert fixed(once, unsafe=True, threshold=threshold) == once


def test_the_whole_array_goes_when_nothing_of_it_stays() -> None:
    text = '{ "image": "x", "runArgs": ["--privileged", "--net", "host", "--pid=host"] }'
    assert fixed(text, unsafe=True) == '{ "image": "x" }'


def test_a_setting_written_twice_goes_twice() -> None:
    text = '{ "runArgs": ["--privileged"], "privileged": true, "image": "x" }'
    assert fixed(text, unsafe=True) == '{ "image": "x" }'


def test_what_is_allowed_is_not_fixed() -> None:
    text = '{ "privileged": true } // sandboxd: allow privileged-container -- dind\n'
    assert fixed(text, unsafe=True) == text


def test_a_file_with_a_syntax_error_stays_as_it_is() -> None:
    text = '{\n  "image": "x"\n  "privileged": true,\n  "name": "y"\n}\n'
    assert fixed(text, unsafe=True) == text
    assert "privileged" not in fixed(text.replace('"x"', '"x",'), unsafe=True)


def test_a_list_of_which_only_a_comment_would_stay_goes() -> None:
    """Compose refuses a list without a value, which two removals at once would leave."""
    text = "services:\n  a:\n    image: x\n    cap_add:\n      - SYS_ADMIN # one\n      # two\n      - NET_ADMIN\n"
    fix = fix_source(SourceText("/p/compose.yaml", text), unsafe=True)
    assert "cap_add:" not in fix.source.text.split("image: x")[1].split("services")[0]


def test_of_a_large_file_no_more_passes_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixes that touch each other take a pass each, and each pass reads the whole text."""
    text = '{"image": "x", "runArgs": ["--privileged", "--network=host", "--pid=host"]}'
    whole = fix_source(SourceText(PATH, text), unsafe=True)
    monkeypatch.setattr(fixing, "MAX_CHARACTERS", 1)
    first = fix_source(SourceText(PATH, text), unsafe=True)
    assert 0 < len(first.applied) < len(whole.applied)


_BETWEEN = st.sampled_from(["", " ", "\n\t", " // why\n", "/* a */ "])


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(NAMES)), _BETWEEN, _BETWEEN), unique_by=lambda row: row[0]
    )
)
def test_a_safe_fix_of_a_name_leaves_every_other_byte(rows: list[tuple[str, str, str]]) -> None:
    def written(names: dict[str, str]) -> str:
        members = ",".join(
            f'{before}"{names[name]}"{behind}: {{}}' for name, before, behind in rows
        )
        return f'{{"image": "debian:12", "features": {{{members}\n}} /* end */}}\n'

    full = {name: f"ghcr.io/devcontainers/features/{NAMES[name]}:1" for name in NAMES}
    fixed = fix_source(
        SourceText(PATH, written({name: name for name in NAMES})),
        only=("feature-legacy-github-id",),
    )
    assert fixed.source.text == written(full)
    assert len(fixed.applied) == len(rows)

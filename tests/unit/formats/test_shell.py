"""Commands of scripts and Makefiles that start a container: found, judged, fixed in place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.findings import Severity
from sandboxd.lint import analysis
from sandboxd.lint.fixing import fix_source
from sandboxd.syntax import shell
from sandboxd.syntax.node import walk
from sandboxd.text import SourceText
from tests.growth import growth


def findings_at(text: str, path: str = "/project/run.sh") -> list[tuple[str, str]]:
    """The rules of the findings from warnings on, and the text that each stands at."""
    report = analysis.check_source(SourceText(path, text))
    return [
        (finding.rule, text[finding.place.span.start : finding.place.span.end])
        for finding in report.findings
        if finding.severity >= Severity.WARNING
    ]


def commands(text: str, make: bool = False) -> list[list[str]]:
    root = shell.parse(text, make).root
    assert root is not None
    return [[str(word.value) for word in command.items] for command in root.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b;c|d&&e", [["a", "b"], ["c"], ["d"], ["e"]]),
        ("a 'b c' \"d $e\" f\\ g", [["a", "b c", "d $e", "f g"]]),
        ("a \\\n  b\nc", [["a", "b"], ["c"]]),
        ("a \\\r\n  b\r\nc", [["a", "b"], ["c"]]),
        ("a b\\\r\n c", [["a", "b", "c"]]),
        ("a # b\nc#d", [["a"], ["c#d"]]),
        ("x=$(a b) c", [["x=$(a b)", "c"], ["a", "b"]]),
        ("echo `a 'b'`", [["echo", "`a 'b'`"], ["a", "b"]]),
        ("a >b 2>&1 <<E c\nd\nE\ne", [["a", "2", "c"], ["e"]]),
        ("a <<'E'\n$(x\nE\nb", [["a"], ["b"]]),
        ('a "b', [["a", "b"]]),
        ("f() { a; }", [["f"], ["{", "a"], ["}"]]),
    ],
)
def test_words(text: str, expected: list[list[str]]) -> None:
    assert commands(text) == expected


def test_makefiles_with_other_line_ends() -> None:
    assert commands("all:\r\n\ta \\\r\n\t b\r\n\tc\r\n", make=True) == [["a", "b"], ["c"]]


def test_makefiles() -> None:
    text = "RUN := docker run -it\nall: a\n\t@b $(PWD) \\\n\t  $$HOME\n\t-c\n# d\nx = 1\n"
    assert commands(text, make=True) == [
        ["docker", "run", "-it"],
        ["b", "$(PWD)", "$HOME"],
        ["c"],
        ["1"],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker run --privileged x", [("privileged-container", "--privileged")]),
        ("sudo podman create --pid=host x", [("host-pid", "host")]),
        ("docker -H tcp://h container run --pid host x", [("host-pid", "host")]),
        ("x=$(docker run --pid=host x)", [("host-pid", "host")]),
        ("docker run -v '/:/h' x", [("host-root-mounted", "/")]),
        ("docker run \\\n  --privileged \\\n  x", [("privileged-container", "--privileged")]),
        ("S=/var/run/docker.sock\ndocker run -v $S:$S x", [("docker-socket-mounted", "$S:$S")]),
        ('docker run -v "$HOME":/h "$IMAGE" --pid=host', [("home-mounted", "$HOME")]),
    ],
)
def test_a_weak_docker_command_is_found_at_its_place(
    text: str, expected: list[tuple[str, str]]
) -> None:
    rules = {rule for rule, _ in expected}
    assert [item for item in findings_at(text) if item[0] in rules] == expected


@pytest.mark.parametrize(
    "text",
    [
        "# docker run --privileged x",
        "echo docker run --privileged x",
        "cat <<E\ndocker run --privileged x\nE",
        "docker run x --privileged",
        "docker run $IMAGE --privileged",
        "docker ps --privileged",
        "docker run --rm -v ./src:/src:ro alpine ls",
    ],
)
def test_a_text_that_runs_no_weak_command_has_no_finding(text: str) -> None:
    assert findings_at(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DOCKER ?= docker\na:\n\t$(DOCKER) run --privileged x\n", "--privileged"),
        ("a:\n\t@sudo ${CONTAINER_ENGINE} run --rm --privileged x\n", "--privileged"),
        ("RUNNER := sudo podman\na:\n\t$(RUNNER) run --pid=host x\n", "host"),
        ("FLAGS = --rm\na:\n\tdocker run $(FLAGS) --pid=host x\n", "host"),
        ("a:\n\tdocker run $(FLAGS) --pid=host x\n", "host"),
        ("a:\n\tdocker run -v $(HOME):/h x\n", "$(HOME)"),
        ("SOCK = /var/run/docker.sock\na:\n\tdocker run -v $(SOCK):/s x\n", "$(SOCK):/s"),
    ],
)
def test_variables_of_make_are_read(text: str, expected: str) -> None:
    assert [place for _, place in findings_at(text, "/project/Makefile")] == [expected]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a:\n\t$(CARGO) run --privileged x\n", "/project/Makefile"),
        ("DOCKER = ./tools/dry-run\na:\n\t$(DOCKER) run --privileged x\n", "/project/Makefile"),
        ("a:\n\tdocker run $(IMAGE) --privileged\n", "/project/Makefile"),
        ("a:\n\techo $(DOCKER) run --privileged x\n", "/project/Makefile"),
        ("$(DOCKER) run --privileged x\n", "/project/run.sh"),
    ],
)
def test_other_variables_of_make_are_no_engine(text: str, path: str) -> None:
    assert findings_at(text, path) == []


@pytest.mark.parametrize("program", ["$DOCKER", '"${DOCKER}"', "${ENGINE:-podman}", "$DOCKER_BIN"])
def test_a_script_may_have_the_engine_in_a_variable(program: str) -> None:
    text = f"sudo {program} run --privileged x\n"
    assert ("privileged-container", "--privileged") in findings_at(text)


def test_what_a_variable_hides_is_said() -> None:
    report = analysis.check_source(SourceText("run.sh", "docker run $ARGS alpine"))
    assert [skipped.reason for skipped in report.skipped] == [
        "`${ARGS}` may become a flag or the image: its value is not known"
    ]


def test_a_comment_allows() -> None:
    text = "# sandboxd: allow privileged-container -- builds need it\ndocker run --privileged x\n"
    [finding] = [
        f for f in analysis.check_source(SourceText("run.sh", text)).findings
        if f.rule == "privileged-container"
    ]  # fmt: skip
    assert finding.suppressed is not None


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("docker run --rm --privileged x\n", "docker run --rm x\n"),
        ("docker run \\\n  --privileged \\\n  --rm x\n", "docker run \\\n  --rm x\n"),
        (
            "docker run \\\n  --security-opt seccomp=unconfined \\\n  x # why\n",
            "docker run \\\n  x # why\n",
        ),
    ],
)
def test_fixes_keep_everything_else(text: str, fixed: str, tmp_path: Path) -> None:
    only = ("privileged-container", "seccomp-unconfined")
    done = fix_source(SourceText("run.sh", text), unsafe=True, only=only)
    assert done.source.text == fixed
    assert subprocess.run(["sh", "-n"], input=fixed, text=True).returncode == 0


@given(st.text("docker run-v'\"\\ \n$(){}`<>#;&|=x", max_size=80), st.booleans())
def test_nothing_is_raised_and_words_lie_in_the_text(text: str, make: bool) -> None:
    tree = shell.parse(text, make)
    assert tree.root is not None
    for node in walk(tree.root):
        assert 0 <= node.span.start <= node.span.end <= len(text)
    analysis.check_source(SourceText("/p/Makefile" if make else "/p/x.sh", text))


@pytest.mark.parametrize("make", [False, True])
@pytest.mark.parametrize(
    "piece", ["$(", "`a` ", "docker run -v /:/x y\n", "<<E\n", "'", "a\\\n", "${x} ", "x=1\n"]
)
def test_work_is_in_proportion_to_the_text(piece: str, make: bool) -> None:
    assert growth(lambda text: shell.parse(text, make), piece) < 2.4
    shell.parse(piece * (100_000 // len(piece)), make)

"""AppArmor's language: what is read, what is tolerated, and the real parser's opinion."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats import apparmor as kind
from sandboxd.lint.analysis import check_source
from sandboxd.model.apparmor import AppArmorProfile
from sandboxd.syntax import apparmor
from sandboxd.syntax.node import walk
from sandboxd.text import SourceText
from tests.growth import growth
from tests.rules import pages
from tools.engine.packages import find_program

PARSER = find_program("apparmor_parser")
CASES = [case for page in pages.pages() for case in pages.cases(page)]
POLICIES = [case for case in CASES if case.source.path.endswith("/apparmor/app")]


def profile(text: str) -> AppArmorProfile:
    document = kind.parse(SourceText("apparmor/app", text))
    [(_, result)] = kind.subjects(document)
    assert isinstance(result, AppArmorProfile)
    return result


def test_a_profile_is_read() -> None:
    text = (
        "#include <tunables/global>\nabi <abi/3.0>,\n"
        "profile app /bin/app flags=(attach_disconnected, complain) {\n"
        "  audit deny /a/{b,c}/** w, # why\n  owner @{HOME}/x rw,\n  rw /y,\n  network inet,\n"
        "  file,\n}\n"
    )
    read = profile(text)
    assert read.name.value == "app" and read.flags == ("attach_disconnected", "complain")
    assert read.preamble.has_include and not read.includes_unknown()
    assert [(rule.word, rule.deny, rule.path, rule.permissions) for rule in read.rules] == [
        ("file", True, "/a/{b,c}/**", "w"),
        ("file", False, "@{HOME}/x", "rw"),
        ("file", False, "/y", "rw"),
        ("network", False, "", ""),
        ("file", False, "/**", ""),
    ]


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/a", False),
        ("/a/{b,c}d", "/a/cd", True),
        ("/a/{b,c}d", "/a/d", False),
        ("/a/[^b]x", "/a/cx", True),
        ("/a/[^b]x", "/a/bx", False),
        ("@{PROC}/kcore", "/proc/kcore", True),
        ("@{UNKNOWN}/x", "/any/where/x", True),
        ("/a.b", "/axb", False),
        ("/a/+", "/a/+", True),
        ("/a/[z-a]", "/a/z", False),
    ],
)
def test_wildcards(glob: str, path: str, covered: bool) -> None:
    assert profile(f"profile app {{ {glob} r, }}").access().may(path, "r") is covered


def test_a_deny_wins_wherever_it_stands() -> None:
    for rules in ("file, deny /x w,", "deny /x w, file,"):
        access = profile(f"profile app {{ {rules} }}").access()
        assert not access.may("/x", "w") and access.may("/x", "r") and access.may("/y", "w")


def test_profiles_within_profiles_and_several_in_a_file() -> None:
    text = "profile a {\n  /x r,\n  profile b {\n    /y r,\n  }\n}\n/usr/bin/c {\n  /z r,\n}\n"
    document = kind.parse(SourceText("apparmor/app", text))
    names = [subject.name.value for _, subject in kind.subjects(document)]  # type: ignore[attr-defined]
    assert sorted(names) == ["/usr/bin/c", "a", "b"]
    assert document.tree.problems == ()


@given(st.text('{}(),#@"\\ \nfile deny/a*', max_size=60))
def test_nothing_is_raised_and_spans_lie_in_the_text(text: str) -> None:
    document = kind.parse(SourceText("apparmor/app", text))
    assert document.tree.root is not None
    for node in walk(document.tree.root):
        assert 0 <= node.span.start <= node.span.end <= len(text)
    for span, _, _ in document.tree.problems:
        assert 0 <= span.start <= span.end <= len(text) + 1
    list(kind.subjects(document))


@pytest.mark.parametrize(
    "piece", ["{ ", "file,\n", "/a/{b,c}/** rw,\n", "# x\n", '"', "deny\n", "@{a} = b\n"]
)
def test_work_is_in_proportion_to_the_text(piece: str) -> None:
    assert growth(apparmor.parse, piece) < 2.4
    apparmor.parse(piece * (200_000 // len(piece)))


@pytest.mark.skipif(PARSER is None, reason="apparmor_parser is not installed")
@pytest.mark.parametrize("case", POLICIES, ids=[f"{c.rule}: {c.title}" for c in POLICIES])
def test_the_real_parser_agrees_on_what_is_valid(case: pages.Case, tmp_path: Path) -> None:
    file = tmp_path / "app"
    # What a rule may include and this machine has not.
    text = case.source.text.replace("#include <local/app>", "")
    file.write_text(text)
    assert PARSER is not None
    done = subprocess.run(
        [PARSER, "-Q", "-K", "--skip-kernel-load", str(file)], capture_output=True, text=True
    )
    tree = apparmor.parse(text)
    undeclared = case.rule == "apparmor-undeclared-variable" or "#include <tunables" not in text
    if tree.problems:
        assert done.returncode != 0
    elif not undeclared:
        assert done.returncode == 0, done.stderr


DISTRIBUTION = sorted(
    path
    for folder in (Path("/etc/apparmor.d"), Path("/etc/apparmor.d/abstractions"))
    for path in (folder.iterdir() if folder.is_dir() else ())
    if path.is_file()
)


@pytest.mark.skipif(not DISTRIBUTION, reason="no profiles of a distribution are installed")
def test_the_distributions_own_files_have_no_error() -> None:
    for path in DISTRIBUTION:
        assert apparmor.parse(path.read_text()).problems == (), path
        if path.parent.name == "apparmor.d":
            report = check_source(
                SourceText(str(path), path.read_text()),
                kind="apparmor",
                only=("apparmor-syntax-error", "apparmor-undeclared-variable"),
            )
            assert report.findings == (), path


RULES = (
    "owner /tmp/#[0-9]* rw", "/tmp/a#b r", '"/a \\" b, c" r', "/a\\,b r", "/a\\ b r", "/a@{profile_name} r",
    "include if exists <local/none>\n", "# only, a comment\n", "deny /x w", "/a/{b,c}/[!d]* mrwk",
    "/a -> /b", "capability chown", "audit deny network inet stream", "@{attach_path} r", '"/a#b" r',
    "/a r, # behind,\n  /b r", "signal (send) peer={a,b}", "/a/{b,c", '"/a', "capability\nchown", "}",
)  # fmt: skip


@pytest.mark.skipif(PARSER is None, reason="apparmor_parser is not installed")
@pytest.mark.parametrize("seed", range(int(os.environ.get("SANDBOXD_MUTATIONS", "25"))))
def test_what_the_real_parser_takes_has_no_problem(seed: int, tmp_path: Path) -> None:
    chosen = random.Random(seed).sample(RULES, 4)
    body = "".join(f"  {rule}" + ("\n" if rule.endswith("\n") else ",\n") for rule in chosen)
    text = f"abi <abi/4.0>,\nprofile t /bin/t {{\n{body}}}\n"
    file = tmp_path / "t"
    file.write_text(text)
    assert PARSER is not None
    done = subprocess.run([PARSER, "-QKS", str(file)], capture_output=True, check=False)
    if done.returncode == 0:
        assert apparmor.parse(text).problems == (), text


def test_a_rule_without_its_comma_is_found_over_empty_lines() -> None:
    text = "profile a {\n  capability chown\n \n  network,\n}\n"
    spans = [text[p.span.start : p.span.end] for p in apparmor.parse(text).problems]
    assert spans == ["capability chown"]

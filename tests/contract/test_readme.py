"""Every command of the README is run by a test, or says why not; its example rule works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.readme import ROOT, blocks, differences, screens
from tests.contract.test_rules import HEADINGS

# The command -> the file that runs it, or all of it and more.
RUN_ELSEWHERE = {"./dev demo": "tests/e2e/test_demo.py", "./dev test": ".ci/run"}


def test_every_command_is_run_or_says_why_not() -> None:
    unaccounted = []
    for block in blocks("README.md"):
        if block.kind == "sh" and not block.not_run:
            commands = [line.split(" #")[0].strip() for line in block.body.splitlines()]
            unaccounted += [text for text in commands if text and text not in RUN_ELSEWHERE]
    assert unaccounted == []


def test_what_is_run_elsewhere_is() -> None:
    listed = "\n".join(block.body for block in blocks("README.md") if block.kind == "sh")
    for command, file in RUN_ELSEWHERE.items():
        assert command in listed
        words = command.split()
        text = (ROOT / file).read_text()
        assert command in text or (f'"{words[0][2:]}"' in text and f'"{words[1]}"' in text)


def test_the_screens_are_there() -> None:
    shown = [
        screen.command
        for block in blocks("README.md")
        if block.kind == "console"
        for screen in screens(block.body)
    ]
    for name in ("check", "verify", "status"):
        assert any(command.startswith(f"sandboxd {name}") for command in shown)


def test_the_figures_of_verify_agree() -> None:
    """With each other, and with the number of attempts that there are."""
    from sandboxd.verify import attempts

    page = (ROOT / "README.md").read_text()
    counted = re.search(r"^(\d+) attempts in [\d.]+ s: (.*)$", page, re.MULTILINE)
    assert counted is not None
    parts = dict(reversed(part.split()) for part in counted[2].split(", "))
    assert int(counted[1]) == len(attempts.load()) == sum(map(int, parts.values()))
    assert re.search(rf"held +against {parts['held']} attempts", page)


def test_the_example_rule_of_contributing_works(tmp_path: Path) -> None:
    """As a file of the rules folder, in a copy of the package."""
    import shutil

    example = next(
        block.body for block in blocks("CONTRIBUTING.md") if "META = RuleMeta(" in block.body
    )
    text = "\n".join(line.removeprefix("   ") for line in example.splitlines())
    for name in ("sandboxd", "tools", "profiles", "editor-extension/src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "sandboxd" / "rules" / "host_ipc.py").write_text(text)
    (tmp_path / "devcontainer.json").write_text('{"image": "a", "runArgs": ["--ipc=host"]}')

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("tools.generate_index").returncode == 0
    done = run("sandboxd", "check", "devcontainer.json")
    assert "warning[host-ipc]: `--ipc=host` shares the host's" in done.stdout, done.stderr
    assert "= fix: use an IPC namespace of its own; then programs" in done.stdout
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert tuple(headings) == HEADINGS


@pytest.mark.parametrize(
    ("shown", "real", "expected"),
    [
        (("a", "b"), "a\nb\n", []),
        (("a", "b"), "a\nx\nb\n", ["b"]),
        (("a", "...", "b"), "a\nx\nb\n", []),
        (("b", "...", "a"), "a\nb\n", ["a"]),
        (("took 5 ms",), "took 12 ms", []),
        (("took 5 ms",), "took 12 s", ["took 5 ms"]),
        (("gone",), "", ["gone"]),
    ],
)
def test_a_screen_that_is_not_so_is_found(
    shown: tuple[str, ...], real: str, expected: list[str]
) -> None:
    assert differences(shown, real) == expected


def test_blocks_and_screens_are_read() -> None:
    body = "$ one\nout\n$ two\n"
    assert [(s.command, s.output) for s in screens(body)] == [("one", ("out",)), ("two", ())]
    commands = blocks("README.md")
    assert {"sh", "console"} <= {block.kind for block in commands}
    assert re.search(r"^\./dev demo", commands[0].body, re.M)


def test_the_example_attempt_of_contributing_is_one() -> None:
    example = next(b.body for b in blocks("CONTRIBUTING.md") if "JUDGE = " in b.body)
    text = "\n".join(line.removeprefix("   ") for line in example.splitlines()) + "\n"
    assert text == (ROOT / "sandboxd" / "inside" / "escapes" / "swap.py").read_text()


def test_what_contributing_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(
        r"`((?:tests|sandboxd|profiles|tools|devcontainer-templates)/[\w./-]+)`", page
    )
    made_up = {"sandboxd/rules/host_ipc.py"}
    missing = [p for p in named if "NAME" not in p and p not in made_up and not (ROOT / p).exists()]
    assert missing == []

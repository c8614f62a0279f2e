"""One corpus, five doors: text, JSON, SARIF and an editor say the same of a file, `status` of a project.

The same rule, place, severity and message: a person who sees a finding in the editor finds it in
the report of the pipeline, and none is seen in one of them only. `status` counts as many.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandboxd import formats
from sandboxd.cli.main import run
from sandboxd.errors import UnreadableError
from sandboxd.files import read_source
from sandboxd.host.facts import HostFacts
from sandboxd.status.examine import count
from tests.rules import pages
from tests.unit.lsp.talk import PUBLISH, Client

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"

_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-32"]},
    "textDocument": {"publishDiagnostics": {"relatedInformation": True}},
}
_HEAD = re.compile(
    r"^(error|warning|hint)\[([\w-]+)\]: (.*)\n *--> (.*):(\d+):(\d+)$", re.MULTILINE
)
_OF_SARIF = {"error": "error", "warning": "warning", "note": "hint"}
_OF_EDITORS = {1: "error", 2: "warning", 4: "hint"}


class Said(NamedTuple):
    """A finding, whatever it was said by; lines and columns count from 1, in code points."""

    rule: str
    severity: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str


def _projects() -> Iterator[Path]:
    yield from (p for p in sorted((ROOT / "tests" / "projects").rglob("*")) if _is_config(p))


def _corpus() -> Iterator[Path]:
    """Each twelfth of the real files: all of them have other tests."""
    if CORPUS.is_dir():
        names = ("*devcontainer.json", "*compose*.y*ml", "*Dockerfile*")
        paths = sorted(path for name in names for path in CORPUS.rglob(name) if _is_config(path))
        yield from paths[::12]


def _is_config(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and formats.find(str(path)) is not None


def _of_json(door: Door, path: Path) -> list[Said]:
    rows = json.loads(door.check("json", path))["findings"]
    return sorted(
        Said(*(f[field] for field in Said._fields))
        for f in rows
        if f["suppressed"] is None and door.is_at(f["path"], path)
    )


def _of_sarif(door: Door, path: Path) -> list[Said]:
    results: list[Said] = []
    for result in json.loads(door.check("sarif", path))["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        if result.get("suppressions") or not door.is_at(place["artifactLocation"]["uri"], path):
            continue
        where = place["region"]
        numbers = (where[name] for name in ("startLine", "startColumn", "endLine", "endColumn"))
        level = _OF_SARIF[result["level"]]
        results.append(Said(result["ruleId"], level, *numbers, result["message"]["text"]))
    return sorted(results)


def _of_text(door: Door, path: Path) -> list[tuple[Any, ...]]:
    """Text has no ends, and no message but in the form that a terminal can show."""
    return sorted(
        (rule, severity, int(line), int(column))
        for severity, rule, _, name, line, column in _HEAD.findall(door.check("text", path))
        if door.is_at(name, path)
    )


def _published(path: Path) -> list[Any]:
    async def published() -> list[Any]:
        client = Client(_CAPABILITIES, environ=dict(os.environ))
        client.open(path.as_uri(), read_source(str(path)).text)
        diagnostics = client.published(path.as_uri())
        client.session.context.close()
        assert [m["method"] for m in client.messages if "method" in m] == [PUBLISH]
        items: list[Any] = diagnostics[-1]["diagnostics"]
        return items

    return asyncio.run(published())


def _of_editor(path: Path) -> list[Said]:
    results = []
    for item in _published(path):
        if "code" not in item:
            continue
        start, end = item["range"]["start"], item["range"]["end"]
        place = start["line"] + 1, start["character"] + 1, end["line"] + 1, end["character"] + 1
        results.append(Said(item["code"], _OF_EDITORS[item["severity"]], *place, item["message"]))
    return sorted(results)


class Door:
    """The command, run in a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def check(self, form: str, path: Path) -> str:
        code = run(["check", "--pedantic", f"--format={form}", str(path)])
        output = self.capsys.readouterr()
        # 2 where a sandboxd.toml has mistakes, which are findings, too.
        assert code in (0, 1, 2), output.err
        return output.out

    def is_at(self, name: str, path: Path) -> bool:
        return os.path.normpath(self.folder / name.removeprefix("file://")) == str(path)

    def compare(self, path: Path) -> int:
        """Compare what all four say of a file; how many findings that was."""
        try:
            read_source(str(path))
        except UnreadableError:
            return 0
        expected = _of_json(self, path)
        assert _of_sarif(self, path) == expected, path
        assert _of_editor(path) == expected, path
        assert _of_text(self, path) == sorted(one[:4] for one in expected), path
        return len(expected)


@pytest.fixture
def door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Door:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100000")
    return Door(tmp_path, capsys)


def test_projects(door: Door) -> None:
    assert sum(door.compare(path) for path in _projects()) > 100


def test_a_case_of_each_rule(door: Door) -> None:
    total = 0
    for number, page in enumerate(pages.pages()):
        case = next(c for c in pages.cases(page) if c.kind == "weak")
        path = door.folder / str(number) / case.source.path.removeprefix("/project/")
        path.parent.mkdir(parents=True)
        path.write_bytes(case.source.text.encode())
        total += door.compare(path) if formats.find(str(path)) is not None else 0
    assert total > 500


def test_real_files(door: Door) -> None:
    paths = list(_corpus())
    if not paths:
        pytest.skip("no corpus of real projects beside the checkout")
    assert sum(door.compare(path) for path in paths) > 100


_COMPOSE = """services:
  app:
    image: busybox
    privileged: true
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
"""
_WEAK = '{"image": "busybox", "runArgs": ["--privileged"]}'
_PROJECTS = {
    "a Compose project": {
        ".devcontainer/devcontainer.json": '{"dockerComposeFile": "../compose.yml", "service": "app"}',
        "compose.yml": _COMPOSE,
    },
    "a broken config": {
        ".devcontainer/devcontainer.json": _WEAK,
        "sandboxd.toml": """[rules]
privileged-contaner = "off"

[[allow]]
rule = "privileged-container"
reason = "it is needed"
""",
    },
    "an allowance": {
        ".devcontainer/devcontainer.json": _WEAK,
        "sandboxd.toml": """[[allow]]
rule = "privileged-container"
reason = "it is needed"
""",
    },
    "an ignored folder": {
        ".devcontainer/devcontainer.json": "{}",
        ".gitignore": "third/\n",
        "third/.devcontainer/devcontainer.json": _WEAK,
    },
    "a nested project": {"a/b/.devcontainer/devcontainer.json": _WEAK},
    "nothing of ours": {"README.md": "x"},
}


def _made(folder: Path, name: str) -> Path:
    for path, text in _PROJECTS[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / ".git").mkdir(exist_ok=True)
    return folder


def _counted(folder: Path) -> tuple[int, int, int]:
    """What `status` shows of the folder, on a host of which as little is known as `check` knows."""
    counts = count(str(folder), os.environ, HostFacts(home=os.environ.get("HOME")))
    return counts.error, counts.warning, counts.hint


def _reported(door: Door, folder: Path) -> tuple[int, int, int]:
    findings = json.loads(door.check("json", folder))["findings"]
    severities = [f["severity"] for f in findings if f["suppressed"] is None]
    return severities.count("error"), severities.count("warning"), severities.count("hint")


@pytest.mark.parametrize("name", list(_PROJECTS))
def test_status_counts_what_check_reports(door: Door, name: str) -> None:
    folder = _made(door.folder, name)
    reported = _reported(door, folder)
    assert _counted(folder) == reported
    if name in ("a Compose project", "a broken config", "a nested project"):
        assert reported[0] > 0


def test_generated_files_are_counted_as_check_reports_them(door: Door) -> None:
    folder = _made(door.folder, "a Compose project")
    (folder / "sandboxd.toml").write_text('profile = "dev"\n')
    run(["generate", str(folder)])
    assert (folder / ".devcontainer/sandboxd/devcontainer.json").exists()
    door.capsys.readouterr()
    assert _counted(folder) == _reported(door, folder)
    assert _counted(folder)[0] == 2


def test_a_broken_config_applies_nothing_and_every_door_says_so(door: Door) -> None:
    folder = _made(door.folder, "a broken config")
    path = folder / ".devcontainer/devcontainer.json"
    assert run(["check", str(path)]) == 2
    answer = door.capsys.readouterr()
    assert "privileged-container" in answer.out and "are not applied" in answer.err
    assert [message.rule for message in _of_editor(path) if message.severity == "error"] == [
        "privileged-container"
    ]
    assert any("are not applied" in remark for remark in _remarks(path))
    counts = count(str(folder), os.environ, HostFacts())
    assert (counts.error, counts.skipped) == (*_reported(door, folder)[:1], 1)


def _remarks(path: Path) -> list[str]:
    """What an editor shows of a file that is no finding."""
    return [item["message"] for item in _published(path) if "code" not in item]

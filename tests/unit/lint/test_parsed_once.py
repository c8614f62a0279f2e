"""Every text of a project is parsed once, however many files lead to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.host.facts import UNKNOWN, Engine, HostFacts
from sandboxd.lint.linter import Linter, combine
from sandboxd.lsp.documents import Documents
from sandboxd.lsp.judgements import judge
from sandboxd.syntax import dockerfile, jsonc, toml, yaml
from sandboxd.syntax.node import Tree
from sandboxd.text import SourceText

LABEL = '[{"capAdd": ["SYS_ADMIN"], "entrypoint": "/start", "onCreateCommand": "make"}]'
HOST = UNKNOWN._replace(engine=Engine("unix:///x.sock", image_labels=(("team/dev:latest", LABEL),)))
PROJECT = {
    ".devcontainer/devcontainer.json": '{"dockerComposeFile": ["../compose.yaml", "dev.yaml"],'
    ' "service": "app", "features": {"./tool": {}}, "privileged": true}',
    ".devcontainer/devcontainer-lock.json": '{"features": {}}',
    ".devcontainer/dev.yaml": "services:\n  app:\n    image: y\n    cap_add: [SYS_ADMIN]\n",
    ".devcontainer/tool/devcontainer-feature.json": '{"id": "tool", "capAdd": ["SYS_PTRACE"]}',
    "compose.yaml": "include: [more.yaml]\nservices:\n  app:\n    build: .\n    privileged: true\n"
    "    extends: {file: more.yaml, service: base}\n",
    "more.yaml": "services:\n  base:\n    image: x\n    pid: host\n",
    "Dockerfile": "FROM team/dev\nUSER root\nRUN curl -k https://x | sh\n",
    "sandboxd.toml": '[rules]\nprivileged-container = "warning"\n',
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each text was parsed."""
    times: Counter[str] = Counter()

    def counting(parse: Callable[[str], Tree]) -> Callable[[str], Tree]:
        def counted(text: str) -> Tree:
            times[text] += 1
            return parse(text)

        return counted

    for parser in (jsonc, yaml, toml, dockerfile):
        monkeypatch.setattr(parser, "parse", counting(parser.parse))
    return times


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("backwards", [False, True])
def test_a_check_of_a_project_parses_each_file_once(
    project: Path, parsed: Counter[str], backwards: bool
) -> None:
    linter = Linter({"HOME": "/home/x"}, HOST)
    paths = [str(project / name) for name in sorted(PROJECT, reverse=backwards)]
    sources = [source for path in paths if (source := linter.read(path)) is not None]
    report = combine([linter.check(source) for source in sources])
    assert report.files == len(PROJECT)
    assert parsed == Counter([*PROJECT.values(), LABEL])


def test_an_editor_parses_again_what_was_typed_and_nothing_beside_it(
    project: Path, parsed: Counter[str]
) -> None:
    documents = Documents()
    opened = {name: f"file://{project / name}" for name in ("compose.yaml", "Dockerfile")}
    for name, uri in opened.items():
        documents.open(uri, 1, PROJECT[name])
    uri = f"file://{project / '.devcontainer/devcontainer.json'}"
    for version in range(1, 4):
        documents.open(uri, version, PROJECT[".devcontainer/devcontainer.json"] + " " * version)
        _judge_all(documents, HOST)
    typed = {text: times for text, times in parsed.items() if text.startswith('{"dockerCompose')}
    assert set(typed.values()) == {1} and len(typed) == 3
    assert {text: times for text, times in parsed.items() if times != 1} == {}
    assert PROJECT["more.yaml"] in parsed and LABEL in parsed


def _judge_all(documents: Documents, host: HostFacts) -> None:
    opened = [document for uri in documents.uris() if (document := documents.get(uri)) is not None]
    texts: dict[str, SourceText] = {document.source.path: document.source for document in opened}
    for document in opened:
        judge(document, {"HOME": "/home/x"}, host, verify=False, texts=texts)

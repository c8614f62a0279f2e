"""Each version of an open text is parsed once, whatever is asked about it."""

from __future__ import annotations

import pytest

from sandboxd import formats
from sandboxd.host.facts import Engine, HostFacts
from sandboxd.model.document import Document
from sandboxd.text import SourceText
from tests.patience import until
from tests.unit.lsp.talk import RESOLVES, Client, at


@pytest.mark.asyncio
@pytest.mark.parametrize("capabilities", [{}, RESOLVES], ids=["edits at once", "edits when chosen"])
@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("file:///nowhere/.devcontainer/devcontainer.json", '{ "privileged": true }'),
        ("file:///nowhere/sandboxd.toml", 'profile = "dev"\n'),
        ("file:///nowhere/compose.yml", "services:\n  app:\n    privileged: true\n"),
    ],
)
async def test_all_features_look_at_one_reading_of_each_version(
    uri: str, text: str, capabilities: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = formats.find(uri.removeprefix("file://"))
    assert kind is not None
    parse, texts = kind.parse, list[str]()

    def counted(source: SourceText) -> Document:
        texts.append(source.text)
        return parse(source)

    monkeypatch.setattr(kind, "parse", counted)
    client = Client(
        capabilities, host=HostFacts(system="Linux", engine=Engine("unix:///x", version="27.0"))
    )
    client.open(uri, text)
    for version in (1, 2):
        if version == 2:
            text += " "
            client.change(uri, text, 2)
        document = {"textDocument": {"uri": uri}}
        here = document | {"position": at(0, 1)}
        for method in ("hover", "definition", "completion"):
            assert "error" not in await client.ask(f"textDocument/{method}", here)
        for method in ("documentLink", "documentSymbol"):
            assert "error" not in await client.ask(f"textDocument/{method}", document)
        whole = document | {"range": {"start": at(0, 0), "end": at(9, 0)}}
        actions = whole | {"context": {"diagnostics": []}}
        assert "error" not in await client.ask("textDocument/codeAction", actions)
        await until(lambda now=version: now in [p["version"] for p in client.published(uri)])
        assert texts.count(text) == 1

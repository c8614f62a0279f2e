"""The action that has a config use gVisor: only where the host has it, and only where it counts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.lsp.documents import OpenDocument, kind_of
from sandboxd.lsp.gvisor import offers
from sandboxd.text import SourceText, Span, apply_edits
from tests.unit.lsp.talk import Client, at

HAS = HostFacts(
    system="Linux",
    engine=Engine(
        "unix:///x",
        runtimes=(
            Runtime("runsc-sandboxd", "/x", usable=True, gvisor=True),
            Runtime("runsc-broken", "/x", usable=False, gvisor=True),
        ),
    ),
)
HAS_NOT = HostFacts(
    system="Linux",
    engine=Engine("unix:///x", runtimes=(Runtime("runsc", "/x", usable=False, gvisor=True),)),
)


def after(path: str, text: str, at: int = 0, host: HostFacts = HAS) -> list[str]:
    """The texts that the offers make."""
    document = OpenDocument("x:", 1, SourceText(path, text), kind_of(path))
    fixes = offers(document, host, Variables(), Span(at, at))
    return [apply_edits(text, fix.edits) for fix in fixes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{\n  "image": "x"\n}',
            '{\n  "image": "x",\n  "runArgs": ["--runtime=runsc-sandboxd"]\n}',
        ),
        (
            '{"image": "x", "runArgs": ["--init"] /* why */}',
            '{"image": "x", "runArgs": ["--init", "--runtime=runsc-sandboxd"] /* why */}',
        ),
        (
            '{"image": "x", "runArgs": ["--runtime=runc"]}',
            '{"image": "x", "runArgs": ["--runtime=runsc-sandboxd"]}',
        ),
        (
            '{"image": "x", "runArgs": ["--runtime", "runsc-broken"]}',
            '{"image": "x", "runArgs": ["--runtime", "runsc-sandboxd"]}',
        ),
        ('{"image": "x", "runArgs": ["--runtime=runsc-sandboxd"]}', None),
        ('{"dockerComposeFile": "compose.yml", "service": "a"}', None),
    ],
)
def test_a_devcontainer_gets_the_runtime_of_the_host(text: str, expected: str | None) -> None:
    path = "/x/.devcontainer.json"
    assert after(path, text) == ([expected] if expected else [])
    assert after(path, text, host=HAS_NOT) == after(path, text, host=HostFacts()) == []


def test_a_service_gets_it_where_the_cursor_is() -> None:
    text = "services:\n  a:\n    image: x\n  b:\n    image: y\n    runtime: runc\n"
    path = "/x/compose.yml"
    assert after(path, text, text.index("image: x")) == [
        text.replace("image: x", "image: x\n    runtime: runsc-sandboxd")
    ]
    assert after(path, text, text.index("image: y")) == [
        text.replace("runtime: runc", "runtime: runsc-sandboxd")
    ]
    done = text.replace("runtime: runc", "runtime: runsc-sandboxd")
    assert after(path, done, done.index("image: y")) == []


def test_a_config_asks_for_it() -> None:
    path = "/x/sandboxd.toml"
    assert after(path, 'image = "x"\n[network]\n') == [
        'image = "x"\nruntime = "gvisor"\n[network]\n'
    ]
    assert after(path, 'runtime = "runc"\n') == ['runtime = "gvisor"\n']
    assert after(path, 'runtime = "gvisor"\n') == []
    assert after(path, "runtime = \n") == []


@pytest.mark.asyncio
async def test_it_is_a_rewriting_that_nobody_gets_on_save() -> None:
    client = Client(host=HAS)
    uri = "file:///nowhere/.devcontainer.json"
    client.open(uri, '{"image": "x"}')

    async def titles(only: list[str] | None) -> list[str]:
        context: dict[str, Any] = {"diagnostics": []}
        if only is not None:
            context["only"] = only
        place = {"start": at(0, 0), "end": at(0, 1)}
        params = {"textDocument": {"uri": uri}, "range": place, "context": context}
        actions = (await client.ask("textDocument/codeAction", params))["result"]
        return [action["title"] for action in actions]

    title = "Use gVisor here (`runsc-sandboxd`)"
    assert title in await titles(None)
    assert title in await titles(["refactor"])
    assert title not in await titles(["source.fixAll"])
    client.session.set_host(HAS_NOT)
    await asyncio.sleep(0)
    assert title not in await titles(None)

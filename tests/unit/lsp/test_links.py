"""Where a config leads: to files that are there, and to addresses that are certain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.host.facts import Engine, HostFacts
from sandboxd.project import Project
from tests.unit.lsp.talk import Client, at


async def links(client: Client, uri: str) -> list[str]:
    targets = (await client.ask("textDocument/documentLink", {"textDocument": {"uri": uri}}))[
        "result"
    ]
    return [link["target"] for link in targets]


async def definition(client: Client, uri: str, line: int, character: int) -> Any:
    params = {"textDocument": {"uri": uri}, "position": at(line, character)}
    return (await client.ask("textDocument/definition", params))["result"]


@pytest.mark.asyncio
async def test_features_lead_to_what_is_known_of_them(tmp_path: Path) -> None:
    folder = tmp_path / ".devcontainer"
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "devcontainer-feature.json").write_text('{"id": "mine"}')
    uri = (folder / "devcontainer.json").as_uri()
    text = """{
  "features": {
    "ghcr.io/devcontainers/features/git:1": {},
    "ghcr.io/devcontainers/features/node@sha256:abc": {},
    "ghcr.io/devcontainers/features/../x:1": {},
    "ghcr.io/someone/features/git:1": {},
    "example.org/devcontainers/features/git:1": {},
    "./mine": {},
    "./gone": {}
  }
}"""
    client = Client()
    client.open(uri, text)
    source = "https://github.com/devcontainers/features/tree/main/src"
    mine = (folder / "mine" / "devcontainer-feature.json").as_uri()
    targets = await links(client, uri)
    assert sorted(targets) == sorted([f"{source}/git", f"{source}/node", mine])
    there = await definition(client, uri, 7, 8)
    assert there["uri"].endswith("mine/devcontainer-feature.json")
    assert await definition(client, uri, 2, 10) is None


@pytest.mark.asyncio
async def test_a_config_and_what_is_generated_from_it_lead_to_each_other(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('image = "debian:12"\n')
    environ = {"HOME": str(tmp_path / "home")}
    host = HostFacts(system="Linux", engine=Engine("unix:///x", version="27.0"))
    Project.open(str(tmp_path), environ).generate(host)
    generated = tmp_path / ".devcontainer" / "devcontainer.json"
    client = Client(environ=environ, host=host)
    client.open(generated.as_uri(), generated.read_text())
    client.open(config.as_uri(), config.read_text())
    back = await definition(client, generated.as_uri(), 0, 5)
    assert back["uri"] == config.as_uri()
    there = await definition(client, config.as_uri(), 0, 2)
    assert there["uri"] == generated.as_uri()
    assert config.as_uri() in await links(client, generated.as_uri())


@pytest.mark.asyncio
async def test_nothing_leads_out_of_the_project(tmp_path: Path) -> None:
    """Neither by dots, nor by an absolute path, nor through a link in the repository."""
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "w" / ".devcontainer"
    folder.mkdir(parents=True)
    (tmp_path / "w/sandboxd.toml").write_text('image = "a"\n')
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "Dockerfile").write_text("FROM a\n")
    uri = (folder / "devcontainer.json").as_uri()
    for number, name in enumerate(("../../secret", str(tmp_path / "secret"), "link", "Dockerfile")):
        client = Client()
        client.open(uri, f'{{"build": {{"dockerfile": "{name}"}}, "dockerComposeFile": "{name}"}}')
        inside = name == "Dockerfile"
        assert await links(client, uri) == [(folder / name).as_uri()] * 2 * inside, number
        assert bool(await definition(client, uri, 0, 29)) == inside


@pytest.mark.asyncio
async def test_a_service_leads_to_its_place_in_the_open_compose_file(tmp_path: Path) -> None:
    compose, config = tmp_path / "compose.yml", tmp_path / ".devcontainer.json"
    compose.write_text("services:\n  app: {}\n")
    config.write_text('{ "dockerComposeFile": "compose.yml", "service": "app" }')
    client = Client()
    client.open(config.as_uri(), config.read_text())
    where = {"textDocument": {"uri": config.as_uri()}, "position": at(0, 52)}
    for lines_above in (0, 2):
        if lines_above:
            client.open(compose.as_uri(), "\n" * lines_above + compose.read_text())
        location = (await client.ask("textDocument/definition", where))["result"]
        assert location["uri"] == compose.as_uri()
        assert location["range"]["start"] == at(1 + lines_above, 2)

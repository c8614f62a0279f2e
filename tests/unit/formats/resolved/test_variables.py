"""Substitution as the dev container CLI does it."""

from __future__ import annotations

import pytest

from sandboxd.formats.resolved.variables import Variables

HERE = Variables(
    local_env={"HOME": "/home/kim", "EMPTY": "", "NESTED": "${localEnv:HOME}"},
    workspace="/srv/shop",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${localEnv:HOME}/x", "/home/kim/x"),
        ("${env:HOME}", "/home/kim"),
        ("${localEnv:GONE}/x", "/x"),
        ("${localEnv:GONE:/opt}/x", "/opt/x"),
        ("${localEnv:GONE:a:b}", "a"),
        ("${localEnv:EMPTY:/opt}", ""),
        ("${localEnv:NESTED}", "${localEnv:HOME}"),
        ("${localEnv}", "${localEnv}"),
        ("${localEnv:}", "${localEnv:}"),
        ("${localWorkspaceFolder}", "/srv/shop"),
        ("${localWorkspaceFolderBasename}", "shop"),
        ("${containerWorkspaceFolder}", "/workspaces/shop"),
        ("${containerWorkspaceFolderBasename}", "shop"),
        ("${devcontainerId}", "${devcontainerId}"),
        ("${containerEnv:PATH}", "${containerEnv:PATH}"),
        ("${open", "${open"),
        ("${a${localEnv:HOME}}", "${a${localEnv:HOME}}"),
    ],
)
def test_what_is_known_is_replaced(text: str, expected: str) -> None:
    assert HERE.resolve(text) == expected


@pytest.mark.parametrize(
    "text", ["${localEnv:HOME:/x}", "${localWorkspaceFolder}", "${containerWorkspaceFolder}/x"]
)
def test_what_is_not_known_stays(text: str) -> None:
    assert Variables().resolve(text) == text


def test_the_folder_inside_comes_from_the_file() -> None:
    assert HERE.inside("/w/shop2").resolve("${containerWorkspaceFolderBasename}") == "shop2"


@pytest.mark.parametrize(
    ("path", "workspace"),
    [
        ("/p/.devcontainer/devcontainer.json", "/p"),
        ("/p/.devcontainer/python/devcontainer.json", "/p"),
        ("/p/.devcontainer.json", "/p"),
        ("/p/.devcontainer/python/deeper/devcontainer.json", "/p"),
        ("/p/templates/go/devcontainer.json", "/p/templates/go"),
        ("/.devcontainer/devcontainer.json", "/"),
        ("/.devcontainer.json", "/"),
        ("relative/.devcontainer.json", None),
    ],
)
def test_the_workspace_of_a_file(path: str, workspace: str | None) -> None:
    assert Variables().for_file(path).workspace == workspace


def test_a_given_workspace_is_kept() -> None:
    assert HERE.for_file("/other/.devcontainer.json").workspace == "/srv/shop"


def test_links_out_of_the_workspace_are_followed_and_others_are_not() -> None:
    links = {"/srv/shop": "/data/shop", "/srv/shop/out": "/etc", "/srv/shop/in": "/data/shop/a"}
    here = HERE._replace(realpath=lambda path: links.get(path, path.replace("/srv", "/data")))
    assert here.host_path("${localWorkspaceFolder}/out") == "/etc"
    assert here.host_path("./in") == "/srv/shop/./in"
    assert here.host_path("${localWorkspaceFolder}/in") == "/srv/shop/in"
    assert here.host_path("/opt/out") == "/opt/out"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./data", "/srv/shop/./data"),
        ("./link", "/etc"),
        ("${localWorkspaceFolder}/link", "/etc"),
        ("./beside", "/srv/shop-secret"),
        ("/srv/shop-secret", "/srv/shop-secret"),
        ("/srv/shop-link", "/srv/shop-link"),
    ],
)
def test_only_a_link_of_the_repository_s_own_is_followed(text: str, path: str) -> None:
    """`/srv/shop-secret` begins with `/srv/shop`, and is another project all the same."""
    links = {
        "/srv/shop/link": "/etc",
        "/srv/shop/./link": "/etc",
        "/srv/shop/./beside": "/srv/shop-secret",
        "/srv/shop-link": "/etc",
    }
    variables = HERE._replace(realpath=lambda written: links.get(written, written))
    assert variables.host_path(text) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".", "/w/app/."),
        ("..", "/w/app/.."),
        ("./x", "/w/app/./x"),
        ("../x", "/w/app/../x"),
        ("..x", "..x"),
        ("/etc", "/etc"),
    ],
)
def test_a_relative_path_is_taken_from_the_workspace(text: str, path: str) -> None:
    assert Variables(workspace="/w/app").host_path(text) == path

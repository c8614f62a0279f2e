"""A build in a company's network: its proxy, its certificates, and what a hostile project has at their places."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Upstream
from sandboxd.errors import UsageError
from sandboxd.life.build_network import environment, prepare
from sandboxd.plan.build_certificates import FOLDER, with_certificates
from sandboxd.plan.network_ca import NetworkCa
from sandboxd.plan.recipe import Recipe

PROXY = Upstream("proxy.corp.example", 3128, direct=(pattern("*.corp.example"),))
URL = "http://proxy.corp.example:3128"
OWN = Recipe("it:1", "", "", "ci/Dockerfile", "ci", "", (("HTTP_PROXY", "mine"),), (), "", ())
OF_BASE = Recipe("it:1", "", "busybox", "", "", "", (), (("./hello", {}),), "", ())


@pytest.fixture
def files(tmp_path: Path) -> NetworkCa:
    for name in ("bundle.pem", "own.pem", "java.jks"):
        (tmp_path / name).write_text(name)
    return NetworkCa(*(str(tmp_path / name) for name in ("bundle.pem", "own.pem", "java.jks")))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The copied files of a project with a Dockerfile."""
    folder = tmp_path / "workspace"
    (folder / "ci").mkdir(parents=True)
    (folder / "ci/Dockerfile").write_text("FROM busybox\nRUN true\n")
    return folder


def test_without_proxy_and_certificates_a_build_stays_as_it_is(tree: Path) -> None:
    assert prepare(OWN, str(tree), None) is OWN
    assert prepare(OF_BASE, str(tree), None) is OF_BASE


def test_a_proxy_is_an_argument_unless_the_project_has_one(tree: Path) -> None:
    args = prepare(OWN, str(tree), PROXY).args
    assert dict(args)["https_proxy"] == URL and args.count(("HTTP_PROXY", "mine")) == 1
    assert ("HTTP_PROXY", URL) not in args
    assert dict(args)["NO_PROXY"].endswith(",.corp.example")
    # An image that only gets Features has no arguments without a Dockerfile.
    changed = prepare(OF_BASE, str(tree), PROXY)
    assert not changed.base and dict(changed.args)["HTTPS_PROXY"] == URL
    assert (tree / changed.dockerfile).read_text() == "FROM busybox\n"


def test_certificates_are_in_the_context_whatever_it_ignores(tree: Path, files: NetworkCa) -> None:
    (tree / "ci/.dockerignore").write_text("*")
    changed = prepare(OWN.in_network(files), str(tree), None)
    assert changed.tag != OWN.tag
    assert {path.name for path in (tree / "ci" / FOLDER).iterdir()} == {
        Path(path).name for path in files
    }
    text = (tree / "ci/Dockerfile").read_text()
    assert text == with_certificates("FROM busybox\nRUN true\n")
    assert (tree / "ci/.dockerignore").read_text() == f"*\n!{FOLDER}\n"


def test_a_link_of_the_project_leads_no_file_out_of_the_copy(
    tree: Path, files: NetworkCa, tmp_path: Path
) -> None:
    outside = tmp_path / "home"
    outside.mkdir()
    (outside / "rc").write_text("mine")
    (tree / "ci/.dockerignore").symlink_to(outside / "rc")
    prepare(OWN.in_network(files), str(tree), None)
    assert (outside / "rc").read_text() == "mine"
    for name, recipe in ((f"ci/{FOLDER}", OWN), (".sandboxd-base", OF_BASE)):
        path = tree / name
        if path.is_dir():
            for file in path.iterdir():
                file.unlink()
            path.rmdir()
        path.symlink_to(outside)
        with pytest.raises(UsageError, match="needs that name"):
            prepare(recipe.in_network(files), str(tree), None)
    assert [path.name for path in outside.iterdir()] == ["rc"]


def test_programs_that_fetch_features_go_by_it_but_to_their_engine(files: NetworkCa) -> None:
    given = {"DOCKER_HOST": "tcp://engine.example:2376", "http_proxy": "mine"}
    made = environment(given, PROXY, files)
    assert given.items() <= made.items()
    assert made["HTTPS_PROXY"] == URL and "HTTP_PROXY" not in made
    assert made["NO_PROXY"].split(",")[-1] == "engine.example"
    assert made["NODE_EXTRA_CA_CERTS"] == files.own
    assert environment(given, None, None) == given


def test_a_step_that_is_not_root_can_read_the_certificates(tree: Path, files: NetworkCa) -> None:
    before = os.umask(0o077)
    try:
        prepare(OWN.in_network(files), str(tree), None)
    finally:
        os.umask(before)
    folder = tree / "ci" / FOLDER
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}

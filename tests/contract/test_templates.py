"""Every template is one that dev container tools take, and makes a project without a finding."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from sandboxd import templates
from sandboxd.cli import init_template
from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.plan.grants import Grants
from sandboxd.project import Project
from sandboxd.syntax import jsonc
from sandboxd.syntax.node import plain
from tests.integration.commands import sandboxd
from tools import docs, template_pages

ROOT = Path(docs.ROOT)
FOLDER = ROOT / templates.FOLDER
NAMES = templates.names()
DIGEST = f"registry.example.com/team/image:1@sha256:{'0' * 64}"

# https://containers.dev/implementors/templates/
REQUIRED = {"id": str, "version": str, "name": str}
OPTIONAL = {
    "description": str,
    "documentationURL": str,
    "licenseURL": str,
    "options": dict,
    "platforms": list,
    "publisher": str,
    "keywords": list,
    "optionalPaths": list,
}


def metadata(name: str) -> dict[str, object]:
    return dict(json.loads((FOLDER / name / templates.METADATA).read_text()))


def test_all_are_there() -> None:
    assert set(NAMES) == {
        "agent", "browser-tests", "compose-web", "cpp", "go", "java", "minimal", "node", "python", "rust",
        "untrusted-review",
    }  # fmt: skip
    assert {path.name for path in FOLDER.iterdir()} == set(NAMES)


def test_what_is_made_is_fresh() -> None:
    assert template_pages.stale() == [], "run `./dev docs`"


@pytest.mark.parametrize("name", NAMES)
def test_the_metadata_is_what_the_specification_says(name: str) -> None:
    data = metadata(name)
    assert data["id"] == name
    assert re.fullmatch(r"\d+\.\d+\.\d+", str(data["version"]))
    assert REQUIRED.keys() <= data.keys()
    for key, value in data.items():
        assert isinstance(value, (REQUIRED | OPTIONAL)[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_the_options_are_what_the_specification_says(name: str) -> None:
    options = json.loads((FOLDER / name / templates.METADATA).read_text())["options"]
    used = {option for file in templates.files(templates.load(name), {}) for option in file.options}
    assert options.keys() == used
    for key, option in options.items():
        assert re.fullmatch(r"\w+", key), "tools replace no other names"
        assert option["type"] == "string"
        assert isinstance(option["description"], str)
        assert option["default"] in option["proposals"]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_exactly_one_config_and_it_says_what_to_start(name: str) -> None:
    configs = [
        path
        for path in (".devcontainer/devcontainer.json", ".devcontainer.json")
        if (FOLDER / name / path).exists()
    ]
    assert configs == [templates.MAIN_FILE]
    tree = jsonc.parse((FOLDER / name / templates.MAIN_FILE).read_text())
    assert not tree.problems
    assert tree.root is not None
    config = plain(tree.root)
    assert len({"image", "build", "dockerComposeFile"} & config.keys()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_what_is_optional_is_there(name: str) -> None:
    template = templates.load(name)
    for entry in template.optional:
        assert (FOLDER / name / entry.removesuffix("/*")).exists()
    assert not template.is_optional("sandboxd.toml")


def apply_as_tools_do(name: str, folder: Path, **given: str) -> None:
    """All files, each option replaced: what `devcontainer templates apply` leaves behind."""
    template = templates.load(name)
    for file in templates.files(template, templates.values(template, given)):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)


def no_finding(folder: Path) -> None:
    done = sandboxd("check", "--pedantic", "--fail-on", "hint", folder)
    assert done.code == 0 and done.out.startswith("no findings in "), done.out + done.err


def facts_of(host: str) -> HostFacts:
    return from_raw(json.loads((ROOT / "tests/hosts" / f"{host}.json").read_text()))


def generate(folder: Path, host: str) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 1000, 1000)
    Project.open(str(folder), {}).generate(facts_of(host), Grants(allow_runc=True))


@pytest.mark.parametrize("host", ["debian-13-runsc", "debian-13-no-runsc"])
@pytest.mark.parametrize("name", NAMES)
def test_a_new_project_has_no_finding(name: str, host: str, tmp_path: Path) -> None:
    init_template.write(str(tmp_path), name, [], None)
    generate(tmp_path, host)
    no_finding(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_project_made_by_another_tool_has_no_finding(name: str, tmp_path: Path) -> None:
    apply_as_tools_do(name, tmp_path, image=DIGEST)
    no_finding(tmp_path)
    generate(tmp_path, "debian-13-runsc")
    no_finding(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_for_other_tools_is_hardened_by_itself(name: str, tmp_path: Path) -> None:
    apply_as_tools_do(name, tmp_path)
    (tmp_path / "sandboxd.toml").unlink()
    done = sandboxd("check", "--pedantic", "--format", "json", tmp_path)
    rules = {finding["rule"] for finding in json.loads(done.out)["findings"]}
    assert rules <= {
        "client-differs", "image-unpinned", "memory-without-swap-limit", "rootfs-writable",
    }, done.out  # fmt: skip
    text = (tmp_path / templates.MAIN_FILE).read_text()
    if name != "compose-web":
        assert '"--cap-drop=ALL"' in text and '"no-new-privileges=true"' in text
        assert '"containerUser": "root"' not in text and '"containerUser"' in text

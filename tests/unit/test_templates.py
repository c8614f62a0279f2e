"""Templates: finding them, their options, and what of them a project gets."""

from __future__ import annotations

import pytest

from sandboxd import templates
from sandboxd.errors import UsageError


@pytest.mark.parametrize("name", ["pyhton", "py", "Python"])
def test_a_mistyped_name_is_answered_with_the_list_and_the_nearest(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        templates.load(name)
    assert raised.value.message.startswith(f"there is no template `{name}`; there are `agent`,")
    assert raised.value.hint == "did you mean `sandboxd init --template python`?"


@pytest.mark.parametrize("name", ["", "..", "haskell", "python/sample"])
def test_a_name_like_none_of_them(name: str) -> None:
    with pytest.raises(UsageError, match="there is no template"):
        templates.load(name)


def test_options_have_defaults() -> None:
    python = templates.load("python")
    assert templates.values(python, {})["user"] == "vscode"
    assert templates.values(python, {"image": "img:1"}) == {"image": "img:1", "user": "vscode"}


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"imag": "x"}, "has no option `imag`; it has `image`, `user`", "did you mean `--option image=...`?"),
        ({"zzzz": "x"}, "has no option `zzzz`", ""),
        ({"image": ""}, "cannot be ``", "--option image=mcr."),
        ({"image": 'x" \nprofile = "trusted'}, "cannot be", "--option image=mcr."),
        ({"image": "${localEnv:HOME}"}, "cannot be", "--option image=mcr."),
        ({"image": "a\\b"}, "cannot be", "--option image=mcr."),
    ],
)  # fmt: skip
def test_options_that_cannot_be(given: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        templates.values(templates.load("python"), given)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_options_are_filled_in_and_what_is_about_the_template_stays_out() -> None:
    node = templates.load("node")
    by_path = {file.path: file for file in templates.files(node, {"image": "img:1", "user": "me"})}
    assert not by_path.keys() & {"README.md", "NOTES.md", "devcontainer-template.json"}
    assert 'image = "img:1"' in by_path["sandboxd.toml"].text
    config = by_path[templates.MAIN_FILE]
    assert '"remoteUser": "me"' in config.text and "templateOption" not in config.text
    assert config.options == {"image", "user"}


def test_what_generate_makes_is_not_needed() -> None:
    for name, own in (("python", False), ("compose-web", True)):
        template = templates.load(name)
        files = templates.files(template, templates.values(template, {}))
        paths = {file.path for file in templates.files_to_write(files)}
        assert (templates.MAIN_FILE in paths) is own
        assert "sandboxd.toml" in paths

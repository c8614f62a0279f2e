"""Dotfiles are one more hook: behind those of the creation, before those of each start."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.life.dotfiles import with_dotfiles
from sandboxd.model.remote import NO_REMOTE, STAGES, Command, Hook, Remote


def test_dotfiles_come_behind_what_makes_a_container() -> None:
    hooks = tuple(Hook(stage, "file", (Command("", ("true",), "true"),)) for stage in STAGES)
    remote = with_dotfiles(Remote(hooks), "ann/dots")
    assert [(hook.stage, hook.source) for hook in remote.hooks[2:4]] == [
        ("postCreateCommand", "file"),
        ("dotfiles", "`--dotfiles`"),
    ]
    assert remote.hooks[3].commands[0].words[-1] == "https://github.com/ann/dots.git"


@pytest.mark.parametrize(
    ("text", "url", "words"),
    [
        ("https://a.example/d.git", "https://a.example/d.git", "https://a.example/d.git"),
        ("https://me:pw@a.example/d", "https://me:pw@a.example/d", "a.example/d"),
        ("/workspaces/dots", "/workspaces/dots", "/workspaces/dots"),
    ],
)
def test_a_url_is_taken_as_it_is_and_no_password_is_shown(text: str, url: str, words: str) -> None:
    (hook,) = with_dotfiles(NO_REMOTE, text).hooks
    assert (hook.commands[0].words[-1], hook.commands[0].written) == (url, words)


@pytest.mark.parametrize("text", ["--upload-pack=x", "a b", "a\nb"])
def test_a_text_that_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no repository"):
        with_dotfiles(NO_REMOTE, text)

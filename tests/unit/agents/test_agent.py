"""An agent's file: what is read from it, what is refused, and the words that start the agent."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.agents.agent import TASK, digest, read

INTEGRITY = "sha512-" + "A" * 86 + "=="


def file(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Own",
        "source": "https://example.org",
        "program": "bin/own",
        "command": {
            "unattended": ["--yes"],
            "settings": ["-c", "a=b"],
            "start": ["{unattended}"],
            "print": ["run", "{settings}", "{unattended}", "{task}"],
        },
        **changes,
    }


def test_words_have_the_flags_in_their_places() -> None:
    agent = read("own", file())
    assert agent.words() == ["--yes"]
    assert agent.words(print_=True) == ["run", "-c", "a=b", "--yes", TASK]


@pytest.mark.parametrize(
    ("print_", "resume"), [(False, True), (True, True)], ids=["resume", "print and resume"]
)
def test_a_way_that_it_does_not_have_is_none(print_: bool, resume: bool) -> None:
    with pytest.raises(LookupError):
        read("own", file()).words(print_=print_, resume=resume)


def test_an_agent_without_words_can_be_started_and_nothing_else() -> None:
    agent = read("own", file(command={"start": []}))
    assert agent.words() == []
    with pytest.raises(LookupError):
        agent.words(print_=True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"titel": "x"}, "unknown key `titel`"),
        ({"program": "../sh"}, "no path or name"),
        ({"program": "/bin/sh"}, "no path or name"),
        ({"program": "-c"}, "no path or name"),
        ({"command": {}}, "lacks `start`"),
        ({"command": {"start": "sh"}}, "no list of texts"),
        ({"credentials": [1]}, "no list of texts"),
        ({"environment": {"A": 1}}, "no table of texts"),
        ({"files": {"/etc/passwd": ""}}, "leads out of the home"),
        ({"files": {"a/../../b": ""}}, "leads out of the home"),
        ({"package": [{"name": "a", "version": "1"}]}, "lacks `integrity`"),
        (
            {"package": [{"name": "a", "version": "1", "integrity": "sha1-x"}]},
            "no `sha512-...`",
        ),
        (
            {"package": [{"name": "a/../b", "version": "1", "integrity": INTEGRITY}]},
            "no package of npm",
        ),
        (
            {"package": [{"name": "a", "version": "../1", "integrity": INTEGRITY}]},
            "no package of npm",
        ),
        (
            {"package": [{"name": "a", "version": "1", "integrity": INTEGRITY, "machine": "vax"}]},
            "none of x86_64, aarch64",
        ),
        (
            {"package": [{"name": "a", "version": "1", "integrity": INTEGRITY, "program": "../x"}]},
            "no path or name",
        ),
    ],
)
def test_a_file_that_is_not_clear_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("`", ".")) as caught:
        read("own", file(**changes))
    assert why in str(caught.value)


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "-a"])
def test_a_name_is_small_letters(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        read(name, file())


def test_packages_are_those_of_the_machine_and_known_by_their_content() -> None:
    packages = [
        {"name": "@x/own-arm", "version": "1.0", "integrity": INTEGRITY, "machine": "aarch64"},
        {"name": "own", "version": "1.0", "integrity": INTEGRITY},
    ]
    agent = read("own", file(package=packages))
    (only,) = agent.of_machine("x86_64")
    assert only.name == "own"
    both = agent.of_machine("aarch64")
    assert both[0].url.endswith("/@x/own-arm/-/own-arm-1.0.tgz")
    assert digest(both) != digest([only])
    other = only._replace(integrity=INTEGRITY.replace("A", "B"))
    assert digest([other]) != digest([only])

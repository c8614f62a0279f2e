"""`sandboxd egress` as processes, by the daemon and without one; no engine answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon.world import World

CONFIG = '# ours\nprofile = "dev"\n\n[network]\nmode = "allow"  # by name\n'
UNKNOWN = "kept, and not known to be in force: "


@pytest.fixture
def world(own_home: Path) -> Iterator[World]:
    world = World(own_home)
    try:
        yield world
    finally:
        world.end()


class Commands:
    """Runs `sandboxd egress` in one project."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project

    def run(self, *words: str) -> tuple[int, str, str]:
        done = self.world.run("egress", *words, cwd=self.project)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json")[1])


@pytest.fixture(params=["alone", "by the daemon"])
def egress(request: pytest.FixtureRequest, world: World) -> Commands:
    if request.param == "by the daemon":
        world.start()
    return Commands(world, world.project(text=CONFIG))


def test_a_name_from_no_rule_to_a_rule(egress: Commands) -> None:
    code, out, err = egress.run("check", "New.example.org")
    assert (code, out) == (1, "denied  New.example.org at port 443: no rule names it\n")
    assert err == "hint: `sandboxd egress allow new.example.org`\n"

    code, out, err = egress.run("allow", "new.example.org", "--for", "2h")
    assert (code, out) == (0, "")
    assert "allowed for 2 h: `new.example.org` at ports 80 and 443" in err
    assert "whatever runs inside may do anything there" in err
    assert UNKNOWN in err and "hint: `sandboxd up` gives it" in err

    code, out, _ = egress.run("check", "new.example.org")
    assert code == 0 and "a rule allows it: `new.example.org` by approval, for 2 h" in out
    assert egress.run("check", "new.example.org:22")[0] == 1
    assert "by your answer in the shell; for 2 h" in egress.run("list")[1]

    code, _, err = egress.run("promote", "new.example.org")
    assert code == 0 and "sandboxd trust add" in err
    text = (egress.project / "sandboxd.toml").read_text()
    assert text.startswith(CONFIG.rstrip("\n")) and '"new.example.org"' in text


def test_a_command_about_all_names_below_one_is_quoted_for_a_shell(egress: Commands) -> None:
    _, _, err = egress.run("deny", "*.example.org")
    assert "`sandboxd egress deny --undo '*.example.org'` takes it back" in err
    _, _, err = egress.run("allow", "*.example.net")
    assert "`sandboxd egress promote '*.example.net'`" in err


def test_a_denial_and_its_end(egress: Commands) -> None:
    code, _, err = egress.run("deny", "a.example.org")
    assert code == 0 and "`sandboxd egress deny --undo a.example.org` takes it back" in err
    code, out, _ = egress.run("check", "a.example.org")
    assert code == 1 and "denied by a person" in out
    (row,) = [r for r in egress.json("list")["rules"] if r["name"] == "a.example.org"]
    assert (row["answer"], row["ports"], row["until"]) == ("deny", [], None)
    assert egress.run("deny", "--undo", "a.example.org")[0] == 0
    assert egress.run("deny", "--undo", "a.example.org")[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("allow", "*.com"),
        ("allow", "127.0.0.1"),
        ("allow", "a.example.org", "--for", "soon"),
        ("allow",),
        ("deny", "a.example.org:443"),
        ("forget", "a.example.org"),
        ("promote", "http://a.example.org/"),
        ("check", "a.example.org", "--name", "not a name"),
    ],
)
def test_wrong_usage(egress: Commands, words: tuple[str, ...]) -> None:
    code, out, err = egress.run(*words)
    assert (code, out) == (2, "") and err.startswith("error: ") and "hint: " in err


def test_without_an_engine_nothing_is_said_of_what_runs(egress: Commands) -> None:
    code, out, err = egress.run("log")
    assert (code, out) == (4, "") and "hint: " in err


def test_a_project_without_a_gateway(egress: Commands) -> None:
    (egress.project / "sandboxd.toml").write_text('[network]\nmode = "none"\n')
    for words in (("log",), ("list",), ("allow", "a.example.org")):
        code, _, err = egress.run(*words)
        assert code == 2 and "has no network" in err


def test_a_denied_name_drives_no_terminal(egress: Commands) -> None:
    code, out, _ = egress.run("check", "a\x1b[2J\n.org")
    assert code == 1 and "\x1b" not in out and out.count("\n") == 1


def test_a_host_that_a_credential_reaches(egress: Commands) -> None:
    credentials = '[credentials]\nuse = ["anthropic"]\n'
    (egress.project / "sandboxd.toml").write_text(f"{CONFIG}\n{credentials}")
    granted = egress.world.run("trust", "add", "--yes", cwd=egress.project)
    assert granted.returncode == 0, granted.stderr
    host = "api.anthropic.com"
    # Without a record the gateway has no way to it, whatever secret it still holds.
    code, out, _ = egress.run("check", host)
    assert code == 1 and out.startswith("denied ")
    added = egress.world.run("credentials", "add", "anthropic", "--env", "KEY", cwd=egress.project)
    assert added.returncode == 0, added.stderr
    code, out, err = egress.run("check", host)
    limited = f"limited  {host} at port 443: no rule names it; the gateway reaches it with the credential `anthropic` ("
    assert (code, err) == (1, "") and out.startswith(limited)
    assert "), and nothing else does\n" in out
    (line,) = egress.run("list")[1].splitlines()[:1]
    assert line.startswith(f"with   {host}  port 443; the credential `anthropic` (")
    assert line.endswith("), and nothing else")
    (row,) = egress.json("list")["credentials"]
    assert (row["name"], row["credential"], row["reason"]) == (host, "anthropic", "no-rule")

    assert egress.run("deny", host)[0] == 0
    assert egress.run("check", host)[1].startswith("denied ")
    assert "; counts for nothing: a policy denies it\n" in egress.run("list")[1]

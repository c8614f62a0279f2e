"""`sandboxd credentials` as a process: what is kept where, what is shown, and that no secret is printed."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.commands import Result, sandboxd

SECRET = "marked-4b1d"


def add(*words: str, typed: str = f"{SECRET}\n") -> Result:
    command = [sys.executable, "-m", "sandboxd", "credentials", "add", *words]
    return Result(subprocess.run(command, input=typed, capture_output=True, text=True, check=False))


def config(name: str) -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd" / name


def test_from_nothing_to_a_secret_and_back() -> None:
    assert "`sandboxd credentials add NAME`" in sandboxd("credentials", "list").err
    added = add("github", "--file")
    assert added.code == 0, added.err
    assert "only this user can read it" in added.err
    assert config("secrets/github").read_text() == f"{SECRET}\n"
    listed = sandboxd("credentials", "list")
    assert "github  a file in the config folder" in listed.out
    assert "  github:" not in listed.err and "- npm: an access token" in listed.err
    assert json.loads(sandboxd("credentials", "list", "--json").out)["credentials"] == [
        {"name": "github", "source": "file", "place": []}
    ]
    removed = sandboxd("credentials", "remove", "github")
    assert removed.code == 0 and "valid until you revoke it there" in removed.err
    assert not config("secrets/github").exists()
    assert sandboxd("credentials", "remove", "github").code == 2
    assert SECRET not in added.out + added.err + listed.out + listed.err + removed.err


def test_another_place_takes_the_secret_out_of_the_first() -> None:
    assert add("github", "--file").code == 0
    assert add("github", "--env", "GH").code == 0
    assert not config("secrets/github").exists()
    assert "the variable `GH`" in sandboxd("credentials", "list").out


def test_a_command_is_kept_as_words() -> None:
    assert add("npm:work", "--command", "pass show 'a b'").code == 0
    (each,) = json.loads(sandboxd("credentials", "list", "--json").out)["credentials"]
    assert each == {"name": "npm:work", "source": "command", "place": ["pass", "show", "a b"]}


@pytest.mark.parametrize(
    ("words", "typed", "message"),
    [
        (["nothing"], "", "`nothing` names no service that ships"),
        (["github:a/b"], "", "has no account behind the colon"),
        (["github", "--file"], "\n", "is no secret: it is empty"),
        (["github", "--file"], f"{SECRET} {SECRET}\n", "is no secret: it has spaces"),
        (["github", "--env", "A=B"], "", "cannot be the name of a variable"),
        (["github", "--command", ""], "", "the command is empty"),
        (["github", "--command", "'x"], "", "is no command"),
        (["github", "--env", "A", "--file"], "", "`--file` does not go with `--env`"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], typed: str, message: str) -> None:
    done = add(*words, typed=typed)
    assert done.code == 2
    assert message in done.err
    assert SECRET not in done.err
    assert not config("credentials.toml").exists()


def test_a_prompt_does_not_show_what_is_typed() -> None:
    main, terminal = pty.openpty()
    try:
        command = [sys.executable, "-m", "sandboxd", "credentials", "add", "npm", "--file"]
        with subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        ) as running:
            os.close(terminal)
            shown = b""
            while b"(not shown): " not in shown:
                shown += os.read(main, 4096)
            os.write(main, f"{SECRET}\n".encode())
            try:
                while piece := os.read(main, 4096):
                    shown += piece
            except OSError:  # its terminal is gone
                pass
            assert running.wait(60) == 0, shown
    finally:
        os.close(main)
    assert SECRET.encode() not in shown
    assert config("secrets/npm").read_text() == f"{SECRET}\n"


def test_a_list_is_no_wider_than_its_terminal() -> None:
    assert add("github", "--command", "pass show services/forges/token-of-the-company").code == 0
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "sandboxd", "credentials", "list"]
    environ = {**os.environ, "COLUMNS": "60"}
    shown = b""
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environ) as running:
        os.close(terminal)
        try:
            while piece := os.read(main, 4096):
                shown += piece
        except OSError:  # its terminal is gone
            pass
        finally:
            os.close(main)
        assert running.wait(60) == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.decode().splitlines()]
    assert any("token-of-the-company" in line for line in lines)
    assert [line for line in lines if len(line) > 60] == []


def test_a_test_without_secrets_or_with_an_unreadable_one_says_so() -> None:
    assert "there is no credential" in sandboxd("credentials", "test").err
    assert add("pypi", "--env", "NOT_SET").code == 0
    done = sandboxd("credentials", "test", "pypi")
    assert done.code == 4
    assert "not known" in done.out and "`NOT_SET` for `pypi` is not set" in done.out


def test_a_service_without_a_harmless_request_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    assert add("pypi", "--env", "TOKEN").code == 0
    done = sandboxd("credentials", "test")
    assert done.code == 0
    assert "not asked  pypi: it has no request that only asks" in done.out


def test_init_names_grants_and_explains_a_credential(tmp_path: Path) -> None:
    done = sandboxd(
        "init", tmp_path, "--profile", "agent", "--credential", "npm", "--credential", "anthropic"
    )
    assert done.code == 0, done.err
    assert 'use = ["anthropic", "npm"]' in (tmp_path / "sandboxd.toml").read_text()
    assert "`sandboxd credentials add npm` says where its secret is" in done.err
    assert "trusted, since you named `anthropic` and `npm`" in done.err
    assert "publishes as you" in done.err
    plan = sandboxd("explain-plan", tmp_path, "--allow-runc")
    assert "credential    anthropic" in plan.out
    document = json.loads(sandboxd("explain-plan", tmp_path, "--allow-runc", "--json").out)
    names = [each["name"] for each in document["credentials"]]
    assert names == ["anthropic", "npm"]
    assert document["credentials"][1]["doors"][0]["service"] == "npm"


def test_init_refuses_a_service_that_there_is_not(tmp_path: Path) -> None:
    done = sandboxd("init", tmp_path, "--credential", "nothing")
    assert done.code == 2 and "`nothing` names no service that ships" in done.err
    assert not (tmp_path / "sandboxd.toml").exists()


def test_a_policy_that_forbids_one_is_named(tmp_path: Path) -> None:
    policy = config("policy.toml")
    policy.parent.mkdir(parents=True)
    policy.write_text('credentials = ["npm"]\n')
    assert 'credentials = ["npm"]' in sandboxd("policy").out
    (tmp_path / "sandboxd.toml").write_text('image = "img:1"\n[credentials]\nuse = ["anthropic"]\n')
    done = sandboxd("trust", "add", "--yes", tmp_path)
    assert "credential: anthropic" in done.err
    refused = sandboxd("explain-plan", tmp_path)
    assert refused.code == 2
    assert f"asks for the credential `anthropic`, and `{policy}` does not allow it" in refused.err

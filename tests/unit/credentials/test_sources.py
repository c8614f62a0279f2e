"""Each place of a secret: what is read, what is refused, and that no failure tells the secret."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.credentials import records, sources
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.credentials.secret import Secret
from sandboxd.credentials.sources import NoSecret, command, file, keyring
from sandboxd.errors import SandboxdError

TEXT = "marked-77aa"
NAME = Name("github", "work")

KEYRING = """
import json, os
from keyring import errors
PATH = os.environ["KEYRING_FILE"]

def _all():
    if os.path.exists(PATH + ".locked"):
        raise errors.KeyringLocked("locked, and holds marked-77aa")
    if not os.path.exists(PATH):
        raise errors.NoKeyringError("none")
    with open(PATH) as file:
        return json.load(file)

def _put(entries):
    with open(PATH, "w") as file:
        json.dump(entries, file)

def get_password(service, name):
    print("a line that is no answer")
    return _all().get(service + " " + name)

def set_password(service, name, text):
    _put({**_all(), service + " " + name: text})

def delete_password(service, name):
    entries = _all()
    if entries.pop(service + " " + name, None) is None:
        raise errors.PasswordDeleteError("not there")
    _put(entries)
"""
ERRORS = """
class KeyringError(Exception): pass
class KeyringLocked(KeyringError): pass
class NoKeyringError(KeyringError, RuntimeError): pass
class PasswordDeleteError(KeyringError): pass
"""

Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    return {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


@pytest.fixture
def with_keyring(environ: Environ, tmp_path: Path) -> Environ:
    """A library that has the names of `keyring`, and keeps its entries in a file."""
    library = tmp_path / "library" / "keyring"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(KEYRING)
    (library / "errors.py").write_text(ERRORS)
    (tmp_path / "entries").write_text("{}")
    path = f"{library.parent}{os.pathsep}{environ['PYTHONPATH']}"
    return {**environ, "PYTHONPATH": path, "KEYRING_FILE": str(tmp_path / "entries")}


def refused(read: Callable[[], object]) -> str:
    """The words of a refusal, whose whole trace does not have the secret."""
    with pytest.raises(SandboxdError) as raised:
        read()
    assert TEXT not in "".join(traceback.format_exception(raised.value))
    return raised.value.message


def test_a_variable_is_that_of_the_shell_that_calls(environ: Environ) -> None:
    record = Record(NAME, "environment", ("GH",))
    assert sources.read(record, {**environ, "GH": TEXT}) == Secret(TEXT)
    assert "`GH` for `github:work` is not set" in refused(lambda: sources.read(record, environ))


def test_what_no_header_takes_is_not_told(environ: Environ) -> None:
    record = Record(NAME, "environment", ("GH",))
    value = f"{TEXT}\nX-Other: 1"
    assert "is no secret" in refused(lambda: sources.read(record, {**environ, "GH": value}))
    assert "it is empty" in refused(lambda: sources.read(record, {**environ, "GH": ""}))


def test_a_command_says_it_on_its_first_line(environ: Environ) -> None:
    record = Record(NAME, "command", ("printf", f"{TEXT}\\nlogin: me\\n"))
    assert sources.read(record, environ) == Secret(TEXT)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("sh", "-c", f"echo {TEXT[:6]}; echo {TEXT[6:]} >&2; exit 3"), "exit code 3"),
        (("no-such-program",), "does not start"),
        (("true",), "it is empty"),
    ],
)
def test_a_command_that_fails_is_said(environ: Environ, words: tuple[str, ...], why: str) -> None:
    assert why in refused(lambda: sources.read(Record(NAME, "command", words), environ))


def test_a_command_that_hangs_is_ended(environ: Environ, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECONDS", 0.2)
    record = Record(NAME, "command", ("sleep", "600"))
    assert "does not end" in refused(lambda: sources.read(record, environ))


def test_a_command_has_no_other_secret_and_no_folder_of_a_project(environ: Environ) -> None:
    records.put(environ, Record(Name("npm"), "environment", ("NPM_X",)))
    record = Record(NAME, "command", ("sh", "-c", 'echo "$PWD,$NPM_X,$OTHER"'))
    called = {**environ, "NPM_X": TEXT, "OTHER": "stays"}
    assert sources.read(record, called) == Secret("/,,stays")


def test_a_file_is_private_and_gone_when_removed(environ: Environ) -> None:
    path = Path(file.write(NAME, environ, Secret(TEXT)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert sources.read(Record(NAME, "file"), environ) == Secret(TEXT)
    file.remove(NAME, environ)
    file.remove(NAME, environ)
    assert "no such file" in refused(lambda: sources.read(Record(NAME, "file"), environ))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_open_is_refused(environ: Environ, mode: int) -> None:
    os.chmod(file.write(NAME, environ, Secret(TEXT)), mode)
    assert "by others" in refused(lambda: sources.read(Record(NAME, "file"), environ))


def test_a_link_and_a_pipe_are_no_file(environ: Environ, tmp_path: Path) -> None:
    path = Path(file.write(NAME, environ, Secret(TEXT)))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "symbolic links" in refused(lambda: sources.read(Record(NAME, "file"), environ))
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "no regular file" in refused(lambda: sources.read(Record(NAME, "file"), environ))
    path.unlink()
    path.mkdir()
    assert "is a directory" in refused(lambda: sources.read(Record(NAME, "file"), environ))


def test_a_keyring_keeps_it_by_pipes_alone(with_keyring: Environ) -> None:
    record = Record(NAME, "keyring")
    assert "has no entry" in refused(lambda: sources.read(record, with_keyring))
    keyring.write(NAME, with_keyring, Secret(TEXT))
    assert sources.read(record, with_keyring) == Secret(TEXT)
    keyring.remove(NAME, with_keyring)
    keyring.remove(NAME, with_keyring)
    assert "has no entry" in refused(lambda: sources.read(record, with_keyring))


def test_a_locked_keyring_and_none_at_all_are_said_apart(with_keyring: Environ) -> None:
    record = Record(NAME, "keyring")
    locked = Path(with_keyring["KEYRING_FILE"] + ".locked")
    locked.touch()
    assert "the keyring is locked" in refused(lambda: sources.read(record, with_keyring))
    locked.unlink()
    os.unlink(with_keyring["KEYRING_FILE"])
    assert "no keyring in this session" in refused(lambda: sources.read(record, with_keyring))


def test_a_machine_without_the_library_is_said(environ: Environ, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "keyring.py").write_text("raise ImportError\n")
    path = f"{library}{os.pathsep}{environ['PYTHONPATH']}"
    words = refused(lambda: sources.read(Record(NAME, "keyring"), {**environ, "PYTHONPATH": path}))
    assert "`keyring` is not installed" in words


def test_a_keyring_that_waits_for_its_user_is_not_waited_for_for_ever(
    with_keyring: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "SECONDS", 0.01)
    assert "locked" in refused(lambda: sources.read(Record(NAME, "keyring"), with_keyring))


def test_every_source_that_a_record_may_have_is_there() -> None:
    for name in records.SOURCES:
        assert callable(sources.source(name).read)
    assert issubclass(NoSecret, SandboxdError)

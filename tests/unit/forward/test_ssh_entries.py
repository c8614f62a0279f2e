"""The settings for ssh: what of the user's own must not count, and whose name is whose."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.forward import ssh_entries

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("ssh", "ssh-keygen"))), reason="no OpenSSH here"
)


def settings(entry: ssh_entries.Entry) -> dict[str, str]:
    """What the real ssh makes of an entry."""
    words = ["ssh", "-G", "-F", entry.config, entry.host]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in said.splitlines() if " " in line)


def test_ssh_reads_what_was_meant_until_it_is_forgotten(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "my %state")}
    made = ssh_entries.make(environ, "/w/My Shop", ["a", "My Shop"], "dev", ["p", "/w/100% ü"])
    assert made.host == "a.my-shop.sandboxd"
    read = settings(made)
    assert (read["user"], read["forwardagent"], read["identityagent"]) == ("dev", "no", "none")
    assert read["proxycommand"] == "p '/w/100%% ü'", "ssh reads %% as one"
    assert "sendenv" not in read
    public = Path(read["identityfile"].replace("%%", "%") + ".pub").read_text()
    keys = ssh_entries.keys(environ, "/w/My Shop")
    assert keys.user == public and "PRIVATE KEY" in keys.host
    assert os.stat(os.path.dirname(made.config)).st_mode & 0o077 == 0
    assert ssh_entries.forget(environ, "/w/My Shop")
    assert "proxycommand" not in settings(made)


def test_a_name_that_another_project_has_is_not_taken_over(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    first = ssh_entries.make(environ, "/a/shop", ["shop"], "dev", ["p"])
    second = ssh_entries.make(environ, "/b/shop", ["shop"], "dev", ["p"])
    assert first.host == "shop.sandboxd" != second.host
    assert ssh_entries.make(environ, "/a/shop", ["shop"], "dev", ["p"]) == first


def test_keys_that_were_not_made_to_the_end_are_made_anew(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    made = ssh_entries.make(environ, "/w", ["w"], "dev", ["p"])
    public = Path(settings(made)["identityfile"] + ".pub")
    before = public.read_text()
    public.unlink()
    ssh_entries.make(environ, "/w", ["w"], "dev", ["p"])
    assert public.read_text() != before


def test_a_line_break_in_a_path_adds_no_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        ssh_entries.make(
            {"HOME": str(tmp_path)}, "/a", ["a"], "dev", ["p", "/a\n  ForwardAgent yes"]
        )

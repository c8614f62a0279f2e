"""Certificates of a network whose proxy opens TLS: which files a policy may name, and what is taken from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.policy import floor
from sandboxd.policy.network_ca import certificates
from tests import certificates as made

Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def file(name: str) -> Path:
        made.self_signed(tmp_path, name, key=f"{name}.key", certificate=f"{name}.pem")
        return tmp_path / f"{name}.pem"

    return file


def test_each_certificate_is_taken_once_and_no_key(make: Make, tmp_path: Path) -> None:
    one, other, both = make("one"), make("other"), tmp_path / "both.pem"
    key = (tmp_path / "one.key").read_text()
    both.write_text(f"# the company\n{one.read_text()}{key}{other.read_text()}")
    assert "PRIVATE KEY" in key
    assert certificates([str(one), str(both)]) == (
        one.read_text().strip(),
        other.read_text().strip(),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no `BEGIN CERTIFICATE`"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "are not valid"),
        ((1 << 20) * "#" + "\n", "are larger than 1 MiB"),
    ],
)
def test_what_holds_no_certificate_stops_everything(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        certificates([str(path)])
    assert words in caught.value.message and f"`{path}`" in caught.value.message


def test_a_file_that_others_can_write_a_folder_and_a_pipe_are_refused(
    make: Make, tmp_path: Path
) -> None:
    path = make("one")
    path.chmod(0o646)
    with pytest.raises(UsageError, match="can be written by others"):
        certificates([str(path)])
    for refused in (tmp_path, tmp_path / "gone", tmp_path / "pipe"):
        if refused.name == "pipe":
            os.mkfifo(refused)
        with pytest.raises(UsageError, match="which `network_ca` of the policy names"):
            certificates([str(refused)])


def test_both_policies_add_certificates(files: tuple[Path, Path]) -> None:
    environ = {"XDG_CONFIG_HOME": str(files[1].parent.parent)}
    files[0].write_text('network_ca = "/etc/ssl/corp.pem"\n')
    files[1].write_text('network_ca = "/home/me/team.pem"\n')
    loaded = floor.load(environ, str(files[0]))
    assert loaded.network_ca == ("/etc/ssl/corp.pem", "/home/me/team.pem")
    for value in ('"corp.pem"', '["/etc/ssl/corp.pem"]', "true"):
        files[1].write_text(f"network_ca = {value}\n")
        with pytest.raises(UsageError) as caught:
            floor.load(environ, str(files[0]))
        assert "absolute path" in (caught.value.hint or "")

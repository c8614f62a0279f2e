"""The keys of a host, as `ssh` would find them."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxd.credentials.ssh_agent.known_hosts import keys_of

ONE, TWO = (base64.b64encode(text).decode() for text in (b"first key", b"second key"))


def known(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / ".ssh").mkdir(exist_ok=True)
    (tmp_path / ".ssh/known_hosts").write_text(text)
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("line", "host", "is_known"),
    [
        (f"forge.test ssh-ed25519 {ONE}", "forge.test", True),
        (f"forge.test ssh-ed25519 {ONE}", "FORGE.test", True),
        (f"forge.test ssh-ed25519 {ONE} words", "forge.test:22", True),
        (f"forge.test ssh-ed25519 {ONE}", "forge.test:2222", False),
        (f"[forge.test]:2222 ssh-ed25519 {ONE}", "forge.test:2222", True),
        (f"[forge.test]:2222 ssh-ed25519 {ONE}", "forge.test", False),
        (f"a.test,*.forge.test ssh-ed25519 {ONE}", "git.forge.test", True),
        (f"*.forge.test,!git.forge.test ssh-ed25519 {ONE}", "git.forge.test", False),
        (f"# forge.test ssh-ed25519 {ONE}", "forge.test", False),
        (f"@cert-authority forge.test ssh-ed25519 {ONE}", "forge.test", False),
        ("forge.test ssh-ed25519 no-base64!", "forge.test", False),
        (f"other.test ssh-ed25519 {ONE}", "forge.test", False),
        (f"|1|broken ssh-ed25519 {ONE}", "forge.test", False),
    ],
)
def test_a_line_is_for_its_hosts(tmp_path: Path, line: str, host: str, is_known: bool) -> None:
    keys = keys_of(host, known(tmp_path, f"{line}\n"))
    assert keys == ((b"first key",) if is_known else ())


def test_a_revoked_key_is_none_of_the_others_is_one(tmp_path: Path) -> None:
    text = f"forge.test ssh-rsa {ONE}\nforge.test ssh-ed25519 {TWO}\n@revoked * ssh-rsa {ONE}\n"
    assert keys_of("forge.test", known(tmp_path, text)) == (b"second key",)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_hashed_names_are_found_as_openssh_hashes_them(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = Path(f"{key}.pub").read_text().split()
    environ = known(tmp_path, f"[forge.test]:2222 {public[0]} {public[1]}\n")
    file = tmp_path / ".ssh/known_hosts"
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "forge" not in file.read_text()
    assert keys_of("forge.test:2222", environ) == (base64.b64decode(public[1]),)
    assert keys_of("forge.test", environ) == ()

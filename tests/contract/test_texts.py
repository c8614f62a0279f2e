"""What no tracked file may be or hold: too long, tied to one machine or registry, unfinished."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

if shutil.which("git") is None:
    pytest.skip("no git; run `CI=true ./dev setup --tests`", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 400

# Data that no person reads line by line.
GENERATED = (
    "requirements/",
    "profiles/seccomp/",
    "tests/hosts/",
    "tests/data/recorded-run.json",
    "tests/unit/plan/golden/",
    "tests/integration/lsp/editors/",
    "docs/rules/",
    "docs/commands.md",
    "docs/configuration.md",
    "docs/platforms.md",
    "docs/sandboxd.schema.json",
    "sandboxd/egress/public_suffixes.txt",
)
# Hosts that a sandbox may reach are the product's data; elsewhere one would tie a file to a registry.
HOSTS = (
    "sandboxd/egress/groups/",
    "sandboxd/credentials/services/",
    "docs/network-groups.md",
    "docs/credential-services.md",
)
LOCKS = ("package-lock.json",)

# Spelt so that this file does not hold what it forbids.
FORBIDDEN = {
    "a registry's host": r"pypi[.]org|pythonhosted[.]org|registry[.]npm|(deb|ftp)[.]debian[.]org",
    "a path of one machine": r"/[w]ork/(main|shared)|/root/[.]pyenv|/home/[r]unner",
    "unfinished work": r"\b([T]ODO|[F]IXME|[X]XX)\b",
}


def tracked() -> list[str]:
    """Files of the repository, also those not committed yet."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(name for name in set(listing.split("\0")) if name and (ROOT / name).is_file())


def text_of(name: str) -> str:
    """The file's text, '' for binary ones."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):  # gone: somebody is at work
        return ""


FILES = tracked()


def test_there_are_files_to_look_at() -> None:
    assert "sandboxd/text.py" in FILES


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    hits = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in FILES
        if not (what == "a registry's host" and name.startswith(HOSTS))
        for number, line in enumerate(text_of(name).splitlines(), 1)
        if pattern.search(line)
    ]
    assert hits == []


def test_no_file_is_too_long() -> None:
    lengths = {
        name: text_of(name).count("\n")
        for name in FILES
        if not name.startswith(GENERATED) and not name.endswith(LOCKS)
    }
    too_long = {
        name: count
        for name, count in lengths.items()
        if count > MOST_LINES and not name.endswith(("LICENSE", "package-lock.json"))
    }
    assert too_long == {}


@pytest.mark.parametrize("name", ["dev", ".ci/run"])
def test_scripts_can_be_executed(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111


def test_dev_is_plain_shell() -> None:
    first, *_ = (ROOT / "dev").read_text().splitlines()
    assert first == "#!/bin/sh"
    subprocess.run(["sh", "-n", str(ROOT / "dev")], check=True)


def test_a_misspelt_option_of_the_tests_is_named_before_anything_is_installed() -> None:
    words = ["sh", str(ROOT / "dev"), "test", "--recrod"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error == "error: `./dev test` has no option `--recrod`"
    assert hint.startswith("hint: `./dev help`")


def test_the_lock_has_a_hash_for_every_package() -> None:
    for name in ("dev", "uv", "editors"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        packages = [block for block in re.split(r"\n(?=\S)", text) if block.strip()]
        assert len(packages) >= 1
        assert [block for block in packages if "--hash=sha256:" not in block] == []

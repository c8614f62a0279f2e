"""What is hidden is nowhere in a sandbox, and what is made there under its name never takes its place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

MARK = "s3cretmark"
TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
FIND = f'grep -rlsF -e {MARK} -e {TOKEN} /workspaces /sandboxd /tmp "$HOME"; true'


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, rich: Rich, runtime: str) -> Path:
    root = tmp_path / "w"
    root.mkdir()
    config = f'image = "{rich.image}"\nruntime = "{runtime}"\nprofile = "agent"\n'
    (root / "sandboxd.toml").write_text(f'{config}[workspace]\nhide = ["private/"]\n')
    (root / ".gitignore").write_text(".env*\n!.env.example\nnode_modules/\nprivate/\n")
    (root / "package.json").write_text("{}\n")
    (root / ".env.example").write_text("KEY=\n")
    (root / "main.py").write_text("print(1)\n")
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    git(root, "config", "user.name", "a")
    git(root, "config", "user.email", "a@b")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    git(root, "remote", "add", "origin", f"https://user:{TOKEN}@git.example/x.git")
    git(root, "config", "http.extraheader", f"Authorization: {TOKEN}")
    git(root, "reflog", "expire", "--expire=now", "--all")
    with (root / ".git/logs/HEAD").open("a") as log:
        log.write(f"{'0' * 40} {'0' * 40} a <a@b> 1 +0\tpull https://{TOKEN}@git.example/x\n")
    (root / "private").mkdir()
    (root / "private" / "plain.txt").write_text(MARK)
    for name in (".env", ".env.swp", ".ENV.Local", "deploy_rsa", "notes.txt"):
        (root / name).write_text(f"KEY={MARK}\n")
    (root / "deploy_rsa").rename(root / "id_rsa.bak")
    (root / "notes.txt").write_text(f"see {TOKEN}\n")
    (root / "utf16.txt").write_bytes(f"see {TOKEN}\n".encode("utf-16"))
    os.link(root / ".env", root / "a-second-name")
    (root / "link").symlink_to(".env")
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "node_modules" / "x" / "index.js").write_text("1\n")
    for path in (root, *root.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    return root


def run(engine: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = sandboxes.run(engine, folder, *words)
    return done


def test_a_secret_is_nowhere_inside_and_stays_as_it_is_on_the_host(
    engine: str, own_home: Path, project: Path
) -> None:
    started = run(engine, project, "up", "--allow-runc")
    try:
        assert started.returncode == 0, started.stderr
        line = next(text for text in started.stderr.splitlines() if "not in the sandbox" in text)
        assert "`.env`" in line and "show" in line
        found = run(engine, project, "exec", "--", "sh", "-c", FIND)
        assert found.stdout == "", found
        listed = run(engine, project, "exec", "--", "sh", "-c", "ls -A; ls node_modules/x")
        names = listed.stdout.split()
        assert {".env.example", "main.py", "package.json", "index.js", "link"} <= set(names)
        assert {".env", "private", "notes.txt", "utf16.txt", "a-second-name"}.isdisjoint(names)
        state = run(engine, project, "exec", "--", "git", "status", "--porcelain")
        assert state.stdout.split() == ["??", "link"], state
        remote = run(engine, project, "exec", "--", "git", "remote", "get-url", "origin")
        assert remote.stdout.strip() == "https://git.example/x.git"
        _later_and_back(engine, project)
    finally:
        done = run(engine, project, "down")
    assert done.returncode == 0, done.stderr
    assert (project / ".env").read_text() == f"KEY={MARK}\n"
    assert (project / "private" / "plain.txt").read_text() == MARK


def _later_and_back(engine: str, project: Path) -> None:
    """What the host makes later does not come, and what is made inside under a hidden name is shown, not brought."""
    (project / ".env.later").write_text(MARK)
    (project / "main.py").write_text(f"print('{MARK}')\n")
    assert run(engine, project, "exec", "--", "sh", "-c", FIND).stdout == ""
    (project / "main.py").write_text("print(1)\n")
    work = "echo evil > .env; mkdir private; echo evil > private/plain.txt; echo evil > .EnV; echo new > new.txt"
    assert run(engine, project, "exec", "--", "sh", "-c", work).returncode == 0
    shown = run(engine, project, "review", "--apply", "--yes")
    text = shown.stdout + shown.stderr
    assert (project / "new.txt").read_text() == "new\n", text
    assert (project / ".env").read_text() == f"KEY={MARK}\n", text
    assert (project / "private" / "plain.txt").read_text() == MARK, text
    assert not (project / ".EnV").exists(), text
    assert "not in the sandbox" in text or "hidden from the sandbox" in text, text
    assert MARK not in text

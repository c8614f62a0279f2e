"""What is ignored is what git ignores, but for what dev container tools read anyway."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.lint import tree
from sandboxd.lint.gitignore import Ignore, for_folder, parse

RULES = """\
# comment
*.log
!keep.log
/top.yml
build/
a/**/z.yml
docs/*.yml
**/deep/x.yml
\\#odd
[ab].yml
!(x
sub/dir/
m*n**o*.yml
d/**
p/**/q/r*s/**/*.yml
"""
PATHS = [
    "x.log",
    "keep.log",
    "a/x.log",
    "top.yml",
    "b/top.yml",
    "build/x.yml",
    "c/build/x.yml",
    "a/z.yml",
    "a/b/c/z.yml",
    "docs/x.yml",
    "docs/a/x.yml",
    "q/deep/x.yml",
    "deep/x.yml",
    "#odd",
    "a.yml",
    "c.yml",
    "sub/dir/x.yml",
    "dir/x.yml",
    "mno.yml",
    "m-n-n-o-o.yml",
    "m-o-n.yml",
    "d/x/y",
    "d-file",
    "p/q/rs/x.yml",
    "p/q/q/r-s/a/b/x.yml",
    "p/q/a/rs/x.yml",
]


def test_git_agrees(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(RULES)
    for name in PATHS:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", *PATHS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    expected = set(asked.stdout.splitlines())
    assert expected
    assert {name for name in PATHS if _ignored(str(tmp_path), name)} == expected


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 400 + "b", "a" * 250),
        ("**/" * 300 + "x", "a/" * 1000 + "y"),
        ("**/a/" * 190 + "x", "a/" * 1000 + "y"),
    ],
)
def test_a_pattern_of_many_stars_comes_to_an_end(pattern: str, path: str) -> None:
    """In all ways that fit, each of these would be tried until the sun is cold."""
    assert not Ignore("/p", parse(pattern), None).ignores(f"/p/{path}", False)


def _ignored(root: str, name: str) -> bool:
    """As a walk sees it: a folder that is ignored is not entered."""
    ignore = for_folder(root)
    assert ignore is not None
    at = root
    *folders, file = name.split("/")
    for folder in folders:
        at = f"{at}/{folder}"
        if ignore.ignores(at, True):
            return True
        ignore = ignore.below(at)
    return ignore.ignores(f"{at}/{file}", False)


@pytest.mark.parametrize("name", [".devcontainer", ".devcontainer.json", "sandboxd.toml"])
def test_what_tools_read_anyway_is_never_left_out(name: str) -> None:
    assert not Ignore("/p", parse("*\n"), None).ignores(f"/p/{name}", False)
    assert Ignore("/p", parse("*\n"), None).ignores(f"/p/{name}", False, as_git=True)


def test_a_walk_leaves_ignored_folders_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("vendor/\n.devcontainer\n")
    for folder in ("vendor", "app", ".devcontainer"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "devcontainer.json").write_text("{}")
        (tmp_path / folder / "docker-compose.yml").write_text("services: {}")
    targets = tree.find([str(tmp_path)])
    assert [Path(file).relative_to(tmp_path).as_posix() for file in targets.files] == [
        ".devcontainer/devcontainer.json",
        ".devcontainer/docker-compose.yml",
        "app/devcontainer.json",
        "app/docker-compose.yml",
    ]


def test_without_a_repository_nothing_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "docker-compose.yml").write_text("services: {}")
    if for_folder(str(tmp_path)) is None:
        assert len(tree.find([str(tmp_path)]).files) == 1


def _names(root: Path, paths: tuple[str, ...]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Everything is ignored, something in each place is tracked all the same."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("*.yml\nbuild/\nnode_modules\n")
    for name in (
        "compose.yml",
        "app/compose.yml",
        "build/compose.yml",
        "build/Dockerfile",
        "other/build/compose.yml",
        "node_modules/compose.yml",
        "long/" + "x" * 200 + "/" + "y" * 200 + "/compose.yml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("services: {}")
    return tmp_path


def test_what_is_ignored_is_named_but_for_folders(repository: Path) -> None:
    targets = tree.find([str(repository)])
    assert targets.files == ()
    assert _names(repository, targets.ignored) == [
        "compose.yml",
        "app/compose.yml",
        f"long/{'x' * 200}/{'y' * 200}/compose.yml",
    ]


def test_what_git_tracks_is_not_ignored(repository: Path) -> None:
    git = ["git", "-C", str(repository), "add", "-f"]
    long = f"long/{'x' * 200}/{'y' * 200}/compose.yml"
    subprocess.run([*git, "compose.yml", "build/Dockerfile", "node_modules", long], check=True)
    targets = tree.find([str(repository)])
    assert _names(repository, targets.files) == ["compose.yml", "build/Dockerfile", long]
    assert _names(repository, targets.ignored) == ["app/compose.yml", "build/compose.yml"]
    # Such an entry has flags of a second kind.
    subprocess.run([*git, "-N", "app/compose.yml"], check=True)
    targets = tree.find([str(repository)])
    assert _names(repository, targets.ignored) == ["build/compose.yml"]


def test_what_is_named_is_not_left_out(repository: Path) -> None:
    named = [str(repository / "compose.yml"), str(repository / "build")]
    targets = tree.find([*named, str(repository)])
    assert _names(repository, targets.files) == [
        "compose.yml",
        "build/Dockerfile",
        "build/compose.yml",
    ]
    assert len(targets.ignored) == 2


@pytest.mark.parametrize("index", [b"", b"DIRC", b"\0" * 50 + b"compose.yml", b"compose.yml\0" * 9])
def test_an_index_that_is_none_tracks_nothing(repository: Path, index: bytes) -> None:
    (repository / ".git/index").write_bytes(index)
    assert "compose.yml" in _names(repository, tree.find([str(repository)]).ignored)


def test_a_linked_work_tree_has_the_patterns_of_its_repository(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-C", str(main)]
    subprocess.run(["git", "init", "-q", str(main)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "x"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(linked)], check=True)
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("secret\n")
    ignore = for_folder(str(linked))
    assert ignore is not None and ignore.ignores(f"{linked}/secret", False)


def test_what_a_repository_says_comes_before_the_patterns_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "of-user").write_text("*.env\n*.key\n")
    (tmp_path / "app/.git/info").mkdir(parents=True)
    (tmp_path / "app/.git/info/exclude").write_text("!b.env\n")
    (tmp_path / "app/.gitignore").write_text("!c.env\nb.env\n")
    ignore = for_folder(str(tmp_path / "app"), str(tmp_path / "of-user"))
    assert ignore is not None
    names = ("a.env", "b.env", "c.env", "d.key", "e")
    ignored = [name for name in names if ignore.ignores(f"{tmp_path}/app/{name}", False)]
    assert ignored == ["a.env", "b.env", "d.key"]

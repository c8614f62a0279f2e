"""What files of a project name, and that nothing of it is read through a link or without a bound."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.plan.project_hosts import Mention, ProjectHosts, project_hosts
from sandboxd.plan.workspace import survey

SECONDS = 20
"""Of processor time for work that takes a hundredth; what grows by the square of its text needs more than this."""


def look(root: Path, **files: str) -> ProjectHosts:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return survey(str(root), (), (), hosts=True).hosts


def hosts(root: Path, name: str, text: str) -> set[tuple[str, int]]:
    hosts_of_files = look(root, **{name: text})
    return {(each.host, each.port) for each in (*hosts_of_files.settings, *hosts_of_files.remotes)}


@pytest.mark.parametrize(
    ("url", "mention"),
    [
        ("git@github.com:owner/repo.git", ("github.com", 22)),
        ("ssh://git@git.corp.example:2222/x.git", ("git.corp.example", 2222)),
        ("https://user:secret@GitLab.com/x.git", ("gitlab.com", 443)),
        ("https://git.corp.example:8443/x.git", ("git.corp.example", 8443)),
        ("http://git.corp.example/x.git", ("git.corp.example", 80)),
    ],
)
def test_git_remotes(tmp_path: Path, url: str, mention: tuple[str, int]) -> None:
    text = f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +refs/*:refs/*\n'
    assert look(tmp_path, **{".git/config": text}).remotes == (Mention(*mention, ".git/config"),)


@pytest.mark.parametrize("url", ["../other", "/srv/git/x.git", "file:///srv/x", "C:\\x", "host:x"])
def test_a_remote_that_names_no_host_names_nothing(tmp_path: Path, url: str) -> None:
    assert look(tmp_path, **{".git/config": f'[remote "o"]\nurl = {url}\n'}).remotes == ()


def test_indexes_and_registries_of_package_managers(tmp_path: Path) -> None:
    assert hosts(tmp_path, ".npmrc", "@a:registry=https://npm.corp.example/x/\n") == {
        ("npm.corp.example", 443)
    }
    text = "--extra-index-url https://t:s@pip.corp.example:8080/simple\nrequests\n"
    assert ("pip.corp.example", 8080) in hosts(tmp_path, "requirements.txt", text)


def test_a_home_page_is_no_index(tmp_path: Path) -> None:
    text = '[project]\nhomepage = "https://home.example/"\n'
    assert hosts(tmp_path, "pyproject.toml", text) == set()


def test_images_of_dockerfiles_and_of_the_dev_container(tmp_path: Path) -> None:
    docker = "# FROM nothing\nFROM --platform=linux/amd64 python:3-alpine AS a\nfrom ubuntu:24.04\n"
    hosts_of_files = look(
        tmp_path,
        **{
            "Dockerfile": docker,
            "deploy/web.Dockerfile": "FROM fedora\n",
            ".devcontainer/devcontainer.json": '{"image": "base:debian"}',
        },
    )
    assert hosts_of_files.images == ("python:3-alpine", "ubuntu:24.04", "fedora", "base:debian")


@pytest.mark.parametrize("link", [".git", ".git/config", ".npmrc"])
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "project"
    (outside).mkdir()
    (outside / "config").write_text('[remote "o"]\nurl = https://secret.example/\n')
    (root / link).parent.mkdir(parents=True)
    target = outside if link == ".git" else outside / "config"
    os.symlink(target, root / link)
    hosts_of_files = look(root)
    assert hosts_of_files.remotes == () and hosts_of_files.settings == ()


def test_a_pipe_and_a_folder_in_place_of_a_file_hold_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".npmrc")
    (tmp_path / "Dockerfile").mkdir()
    hosts_of_files = look(tmp_path)
    assert hosts_of_files.settings == () and hosts_of_files.images == ()


def test_what_is_read_and_named_has_bounds(tmp_path: Path) -> None:
    many = "".join(f"registry=https://h{number}.example/\n" for number in range(1000))
    assert len(look(tmp_path, **{".npmrc": many}).settings) == 20
    late = "x" * (64 * 1024) + "\nregistry=https://late.example/\n"
    assert hosts(tmp_path, ".npmrc", late) == set()


def test_hostile_text_names_nothing(tmp_path: Path) -> None:
    text = "registry=https://a..b/ registry=https://127.1/ index=https://x:99999/ url=https://\x1b[m/\n"
    assert hosts(tmp_path, ".npmrc", text) == set()


def test_a_folder_that_is_not_there_names_nothing() -> None:
    assert project_hosts("/nowhere/at/all", ["Dockerfile"]).images == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a/Dockerfile", "\n" * 65_000),
        ("a/Dockerfile", "FROM " + "--platform=x " * 5_000),
        ("a/Dockerfile", "FROM\n" * 13_000),
        (".git/config", "\n" * 65_000),
        (".git/config", "url\n" * 16_000),
        (".git/config", "url = x@" + "y" * 65_000),
        (".npmrc", "registry=http://" + "a" * 65_000 + "!"),
    ],
)
def test_a_file_that_repeats_one_thing_is_read_in_no_time(
    tmp_path: Path, name: str, text: str
) -> None:
    """The daemon's other threads stand still meanwhile."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    program = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))\n"
        "from sandboxd.plan.project_hosts import project_hosts\n"
        "project_hosts(sys.argv[1], sys.argv[2:])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program, str(tmp_path), name], check=False)
    assert done.returncode == 0

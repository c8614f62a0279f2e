"""Where a build with Features runs: nobody but the user decides what npm obeys there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity, TlsFiles
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import build
from sandboxd.plan.recipe import Recipe
from tests.patience import eventually

RECIPE = Recipe("local/it:1", "", "busybox", "", "", "", (), (("hello", {}),), "", ())
# Says where it runs, the mode of that folder and what npm takes for the project.
NPX = '#!/bin/sh\n{ pwd; stat -c %a .; ls -A; cat package.json; echo "$@"; } >"$SAID"\n'


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in (("docker", "#!/bin/sh\n"), ("npx", NPX)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("sh", "stat", "ls", "cat"):
        (folder / name).symlink_to(f"/bin/{name}")
    return folder


def arguments_of(programs: Path, tmp_path: Path, **environ: str) -> list[str]:
    """What the program in place of npx says of a build."""
    values = {"PATH": str(programs), "SAID": str(tmp_path / "said"), **environ}
    engine = Engine(Identity("tcp://nowhere:1", tls=TlsFiles("/certificates", verify=True)))
    build.build(engine, RECIPE, values, lambda _: None)
    return (tmp_path / "said").read_text().splitlines()


def test_npx_runs_below_the_users_cache(programs: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    where, mode, *listed, project, words = arguments_of(
        programs, tmp_path, XDG_CACHE_HOME=str(cache)
    )
    assert Path(where).parent == cache / "sandboxd/builds"
    assert mode == "700"
    assert stat.S_IMODE((cache / "sandboxd/builds").stat().st_mode) == 0o700
    assert listed == [".devcontainer", "package.json", "workspace"]
    assert project == "{}"
    assert words.startswith(f"--yes {build.DEVCONTAINER_CLI} build --workspace-folder={where} ")
    assert list((cache / "sandboxd/builds").iterdir()) == []


def test_without_a_home_it_has_a_project_of_its_own(programs: Path, tmp_path: Path) -> None:
    where, mode, *_, project, _words = arguments_of(programs, tmp_path)
    assert (mode, project) == ("700", "{}")
    assert not os.path.exists(where)


def test_a_build_that_is_given_up_ends_with_what_it_started(programs: Path, tmp_path: Path) -> None:
    # As the dev container CLI does, which has children of its own.
    (programs / "npx").write_text(
        '#!/bin/sh\nsleep 600 &\necho $! >"$SAID.new"\nmv "$SAID.new" "$SAID"\nwait\n'
    )
    for name in ("sleep", "mv"):
        (programs / name).symlink_to(f"/bin/{name}")
    log = tmp_path / "said"

    def give_up() -> None:
        if log.exists():
            raise KeyboardInterrupt

    engine = Engine(Identity("tcp://nowhere:1", tls=TlsFiles("/certificates", verify=True)))
    environ = {"PATH": str(programs), "SAID": str(log)}
    with pytest.raises(KeyboardInterrupt):
        build.build(engine, RECIPE, environ, lambda _: None, give_up)
    pid = int(log.read_text())
    eventually(lambda: not _runs(pid))


def test_the_last_words_of_a_build_that_fails_have_no_colours(
    programs: Path, tmp_path: Path
) -> None:
    (programs / "npx").write_text(
        "#!/bin/sh\nprintf 'one\\ntwo\\nthree\\n\\033[0m\\033[91mERR! no access\\n\\033[0m\\n\\033[0mended\\n'\nexit 243\n"
    )
    said: list[str] = []
    engine = Engine(Identity("tcp://nowhere:1", tls=TlsFiles("/certificates", verify=True)))
    with pytest.raises(EnvironmentFailure) as caught:
        build.build(engine, RECIPE, {"PATH": str(programs)}, said.append)
    assert caught.value.message == "the build failed with exit code 243"
    assert said[-5:] == [f"build | {w}" for w in ("one", "two", "three", "ERR! no access", "ended")]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_killed_build_left_is_removed(programs: Path, tmp_path: Path) -> None:
    builds = tmp_path / "cache/sandboxd/builds"
    old, young, foreign = (
        builds / name for name in ("sandboxd-build-old", "sandboxd-build-young", "mine")
    )
    for folder in (old, young, foreign):
        (folder / "workspace").mkdir(parents=True)
    for folder in (old, foreign):
        os.utime(folder, (0, 0))
    arguments_of(programs, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert sorted(builds.iterdir()) == [foreign, young]


def test_the_builder_is_that_of_the_engine_with_its_certificates(
    programs: Path, tmp_path: Path
) -> None:
    (programs / "npx").write_text('#!/bin/sh\nset | grep "^DOCKER_" >"$SAID"\n')
    (programs / "grep").symlink_to("/bin/grep")
    environ = {"DOCKER_CONTEXT": "another", "DOCKER_CERT_PATH": "/others"}
    assert sorted(
        line.replace("'", "") for line in arguments_of(programs, tmp_path, **environ)
    ) == [
        "DOCKER_CERT_PATH=/certificates",
        "DOCKER_HOST=tcp://nowhere:1",
        "DOCKER_TLS_VERIFY=1",
    ]

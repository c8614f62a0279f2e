"""The host moves what a program inside has open into a folder that is shut: inside cannot go on writing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.halt.points import What
from tests.e2e import sandboxes
from tests.e2e.watched import attack, git, halt_of, make_repository, state, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

HOOK = "#!/bin/sh\n# reviewed\n"


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    """A repository with a folder of hooks, whose sandbox runs and is watched by a daemon."""
    make_repository(world, project)
    for folder in (".githooks", "scripts", "more"):
        (project / folder).mkdir()
        (project / folder / "one").write_text("")
    (project / ".git/hooks").mkdir(exist_ok=True)
    (project / "scripts/post-commit").write_text(HOOK)
    (project / "scripts/post-commit").chmod(0o755)
    git(project, "config", "core.hooksPath", ".githooks")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "three")
    sandboxes.give_to_user(project)
    yield from watch(world, project)


def test_a_file_that_inside_has_open_or_by_another_name_is_not_what_the_host_gets(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    write = f"printf '#!/bin/sh\\ntouch {ran}\\n'"
    attack(
        api,
        watched,
        "exec 9<>scripts/post-commit; ln scripts/post-commit scripts/two; touch ready; "
        f"until [ -e go ]; do sleep 0.1; done; {write} >&9; {write} > scripts/two; touch written",
    )
    eventually((watched / "ready").exists)
    before = (watched / "scripts/post-commit").stat().st_ino
    git(watched, "mv", "scripts/post-commit", ".githooks/post-commit")
    hook = watched / ".githooks/post-commit"
    eventually(lambda: hook.stat().st_ino != before, world.log)
    (watched / "go").touch()
    eventually((watched / "written").exists, world.log)
    assert hook.read_text() == HOOK and str(ran) in (watched / "scripts/two").read_text()
    git(watched, "commit", "-qm", "four")
    assert not ran.exists() and state(api, watched) == "running"
    assert not git(watched, "status", "--porcelain", "--", ".githooks")


def test_a_folder_that_inside_may_have_open_halts(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    loop = "cd more; touch ready; while :; do echo x > evil; rm -f evil; done"
    attack(api, watched, loop)
    eventually((watched / "more/ready").exists)
    # What the host makes there itself, and moves there, is nobody's concern.
    (watched / ".githooks/new").mkdir()
    (watched / ".githooks/new/hook.tmp").write_text(HOOK)
    (watched / ".githooks/new/hook.tmp").rename(watched / ".githooks/new/hook")
    world.run("exec", "-n", "true", cwd=watched)
    assert state(api, watched) == "running"
    (watched / "more").rename(watched / ".githooks/more")
    halt = halt_of(world, watched)
    assert [(entry.path, entry.what) for entry in halt.entries] == [
        (".githooks/more", What.ARRIVED)
    ]
    eventually(lambda: state(api, watched) == "paused", world.log)
    said = world.run("exec", "-n", "true", cwd=watched).stderr
    assert "`.githooks/more` was brought on the host into a folder that is shut" in said


def test_a_link_to_what_inside_can_write_halts(world: World, api: Engine, watched: Path) -> None:
    """As a checkout of another branch brings it, and as people install a hook."""
    (watched / ".githooks/two").symlink_to("one")
    world.run("exec", "-n", "true", cwd=watched)
    assert state(api, watched) == "running"
    (watched / ".git/hooks/post-commit").symlink_to("../../scripts/post-commit")
    halt = halt_of(world, watched)
    assert [(entry.path, entry.what) for entry in halt.entries] == [
        (".git/hooks/post-commit", What.ARRIVED)
    ]
    eventually(lambda: state(api, watched) == "paused", world.log)

"""The git directory of its own in a plan."""

from __future__ import annotations

import pytest

from sandboxd.plan.git_modules import Module, Modules
from sandboxd.plan.git_objects import ObjectFolder
from tests.unit.plan.examples import RUNC_GRANTED, WORKSPACE, own_git, plan, workspace

GIT = "/workspaces/weather/.git"


def test_it_covers_the_host_s_and_reads_its_objects() -> None:
    made = plan()
    mounts = {mount.value.target: mount.value for mount in made.container.mounts}
    assert (mounts[GIT].source, mounts[GIT].read_only) == (own_git().inside, False)
    objects = mounts["/sandboxd/git/objects"]
    assert (objects.source, objects.read_only) == (f"{WORKSPACE}/.git/objects", True)
    below = [target for target in mounts if target.startswith((GIT + "/", "/sandboxd/git/"))]
    assert below == ["/sandboxd/git/objects"]
    assert made.own_git == own_git()


def test_folders_of_objects_elsewhere_are_named_and_their_list_is_covered() -> None:
    made = plan(workspace=workspace(own_git=own_git("/srv/mirror/objects")))
    mounts = {mount.value.target: mount.value for mount in made.container.mounts}
    over = mounts["/sandboxd/git/objects/info"]
    assert (over.source, over.read_only) == (own_git().empty, True)
    assert not [mount for mount in mounts.values() if "mirror" in mount.source]
    (said,) = [d for d in made.downgrades if d.control == "git inside"]
    assert "`/srv/mirror/objects`" in said.why and "git repack -a -d" in said.fix


def test_objects_of_submodules_are_mounted_and_what_stays_inside_is_said() -> None:
    objects = ObjectFolder(f"{WORKSPACE}/.git/modules/lib/objects", False)
    module = Module("modules/lib", f"{WORKSPACE}/.git/modules/lib", "lib", objects)
    facts = workspace(own_git=own_git()._replace(modules=Modules((module,), ("modules/o,d",))))
    made = plan(workspace=facts)
    mounts = {mount.value.target: mount.value for mount in made.container.mounts}
    assert mounts["/sandboxd/git/modules/lib/objects"].source == objects.path
    assert mounts["/sandboxd/git/modules/lib/objects"].read_only
    said = " ".join(d.why for d in made.downgrades if d.control == "git inside")
    assert "submodule inside stays inside" in said and "`o,d`" in said


@pytest.mark.parametrize("text", ['profile = "agent"', 'profile = "review"'])
def test_a_copy_and_a_folder_that_cannot_be_written_have_none(text: str) -> None:
    made = plan(text, grants=RUNC_GRANTED)
    assert made.own_git is None
    assert not [m for m in made.container.mounts if m.value.source.endswith("/inside")]


def test_a_git_folder_of_another_form_is_read_only_as_a_whole() -> None:
    made = plan(workspace=workspace(own_git=None))
    mounts = {mount.value.target: mount.value for mount in made.container.mounts}
    assert mounts[GIT].read_only and mounts[GIT].source == f"{WORKSPACE}/.git"
    (said,) = [d for d in made.downgrades if d.control == "git inside"]
    assert "read-only inside" in said.why

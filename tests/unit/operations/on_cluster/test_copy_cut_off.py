"""What a connection that breaks for good leaves of a refresh: whole files, and the sandbox's own work."""

from __future__ import annotations

import os

import pytest

from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.errors import EnvironmentFailure
from sandboxd.review import original
from tests.unit.operations.on_cluster.pods import Pod, tree
from tests.unit.operations.on_cluster.test_copy import pod

__all__ = ["pod"]


def test_a_file_that_arrives_in_part_is_no_work_of_the_sandbox(pod: Pod) -> None:
    pod.send()
    (pod.host / "src/main.py").write_text("new" * 20_000)
    pod.breaks = [30_000] * 6
    with pytest.raises(EnvironmentFailure, match="could not be copied into the Pod"):
        pod.refresh()
    done = pod.refresh()
    assert (done.files, done.conflicts) == (1, ())
    assert tree(pod.inside) == tree(pod.host)


def test_a_list_of_what_to_remove_that_arrives_in_part_removes_nothing(pod: Pod) -> None:
    """The last name may be the beginning of one, which is that of another file."""
    (pod.host / "main.py.old").write_text("old")
    pod.send()
    (pod.inside / "main.py").write_text("worked on")
    (pod.host / "main.py.old").unlink()
    pod.breaks = [len("./main.py")]
    with pytest.raises(PodGone):
        pod.refresh()
    assert tree(pod.inside, ["main.py", "main.py.old"]) == {
        "main.py": "worked on",
        "main.py.old": "old",
    }
    assert pod.refresh().removed == 1
    assert tree(pod.inside)["main.py"] == "worked on"


@pytest.mark.parametrize("name", ["main.py.big", "\u00fcmain.py\n"])
def test_a_large_file_whose_name_arrives_in_part_takes_no_other_place(
    pod: Pod, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(original, "PARCEL", 1 << 17)
    pod.send()
    part = name.partition(".py")[0] + ".py"
    (pod.inside / part).write_text("worked on")
    (pod.host / name).write_bytes(os.urandom(200_000))
    pod.breaks = [None, None, len(part.encode())]
    pod.refresh()
    assert pod.breaks == [] and (pod.inside / part).read_text() == "worked on"
    assert (pod.inside / name).read_bytes() == (pod.host / name).read_bytes()

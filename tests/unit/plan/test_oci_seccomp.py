"""The filters for a kubelet: each call gets the answer that an engine gives a container without capabilities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.formats import seccomp
from sandboxd.model.seccomp import Context, SeccompProfile
from sandboxd.model.syscalls import syscall_names
from sandboxd.plan.writers import oci_seccomp
from sandboxd.text import SourceText

FILTERS = sorted(Path(data_path("profiles", "seccomp")).glob("*.json"))
ARGUMENTS = (0, 1, 2, 8, 16, 38, 40, 0x20000, 0x10000000, 0x7E020000, 0xFFFFFFFF)
CONDITIONS = ("includes", "excludes", "archMap", "comment")


def profile_of(path: str, text: str) -> SeccompProfile:
    ((_, profile),) = seccomp.subjects(seccomp.parse(SourceText(path, text)))
    assert isinstance(profile, SeccompProfile)
    return profile


@pytest.mark.parametrize("architecture", oci_seccomp.ARCHITECTURES)
@pytest.mark.parametrize("file", FILTERS, ids=lambda file: file.stem)
def test_every_call_is_answered_as_by_the_form_that_ships(file: Path, architecture: str) -> None:
    shipped = profile_of(str(file), file.read_text())
    written = profile_of("oci.json", oci_seccomp.render(str(file), architecture))
    context = Context(architecture)
    for call in shipped.by_name.keys() | {"no_such_call"}:
        for value in ARGUMENTS:
            arguments = {0: value, 1: value}
            ours = written.decide(call, arguments, context)
            theirs = shipped.decide(call, arguments, context)
            assert (ours.action, ours.errno) == (theirs.action, theirs.errno), (call, value)


@pytest.mark.parametrize("architecture", oci_seccomp.ARCHITECTURES)
@pytest.mark.parametrize("file", FILTERS, ids=lambda file: file.stem)
def test_nothing_of_it_is_for_docker_alone(file: Path, architecture: str) -> None:
    text = oci_seccomp.render(str(file), architecture)
    assert not [word for word in CONDITIONS if f'"{word}"' in text]
    assert json.loads(text).keys() <= {"defaultAction", "defaultErrnoRet", "architectures", "syscalls"}  # fmt: skip
    for rule in json.loads(text)["syscalls"]:
        assert rule.keys() <= {"names", "action", "errnoRet", "args"}
        assert set(rule["names"]) <= syscall_names()


def test_architectures_are_those_of_the_node() -> None:
    path = data_path("profiles", "seccomp", "dev-runc.json")
    listed = [json.loads(oci_seccomp.render(path, a))["architectures"] for a in ("amd64", "arm64")]
    assert listed == [
        ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    ]


def test_mount_is_let_through_only_where_conditions_are_passed_over() -> None:
    """What a runtime makes of Docker's form, and of this one."""
    path = Path(data_path("profiles", "seccomp", "dev-runc.json"))
    passed_over = json.loads(path.read_text())
    for rule in passed_over["syscalls"]:
        rule.pop("includes", None)
        rule.pop("excludes", None)
    for text, is_open in (
        (json.dumps(passed_over), True),
        (oci_seccomp.render(str(path), "amd64"), False),
    ):
        profile = profile_of("read.json", text)
        for call in ("mount", "unshare", "setns"):
            assert profile.decide(call).is_open is is_open, call

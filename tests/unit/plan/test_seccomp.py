"""The seccomp profiles: moby's default minus named groups, and what each means for a call."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import generate_seccomp

FOLDER = Path(__file__).parents[3] / "profiles" / "seccomp"
DEBIAN_PACKAGE = "golang-github-docker-docker-dev"
FACTS = generate_seccomp.load_facts()
NESTED = [entry["file"] for entry in FACTS["allowlist"] if entry.get("beyond")]
ALLOWLISTS = [entry["file"] for entry in FACTS["allowlist"] if entry["file"] not in NESTED]
NESTED_DENYLISTS = ["dev-nested-runsc.json", "agent-nested-runsc.json"]
DENYLISTS = [entry["file"] for entry in FACTS["denylist"] if entry["file"] not in NESTED_DENYLISTS]
EPERM, ENOSYS = 1, 38

Rules = set[tuple[str, str, int, str, str]]


def shipped(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return data


def rules(profile: dict[str, Any]) -> Rules:
    """A profile as a set of single-call rules, however its file groups them."""
    return {
        (
            name,
            rule["action"],
            rule.get("errnoRet", EPERM),
            json.dumps(rule.get("args") or []),
            json.dumps([rule.get("includes") or {}, rule.get("excludes") or {}], sort_keys=True),
        )
        for rule in profile["syscalls"]
        for name in rule["names"]
    }


def verdict(profile: dict[str, Any], call: str, *args: int, caps: tuple[str, ...] = ()) -> int:
    """Errno with which a call is refused on x86-64, 0 if it is allowed, as runc decides it."""
    actions = set()
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        if call not in rule["names"] or not _applies(includes, excludes, caps):
            continue
        conditions = rule.get("args") or []
        # runc ORs conditions that share an index, so we allow none that do.
        assert len({c["index"] for c in conditions}) == len(conditions)
        if all(_holds(c, args) for c in conditions):
            actions.add(0 if rule["action"] == "SCMP_ACT_ALLOW" else rule.get("errnoRet", EPERM))
    if not actions:
        return 0 if profile["defaultAction"] == "SCMP_ACT_ALLOW" else EPERM
    assert len(actions) == 1, (call, args, actions)
    return actions.pop()


def _applies(includes: dict[str, Any], excludes: dict[str, Any], caps: tuple[str, ...]) -> bool:
    arches = includes.get("arches")
    if arches and not {"amd64", "x86", "x32"} & set(arches):
        return False
    if not set(includes.get("caps") or ()) <= set(caps):
        return False
    return not (set(excludes.get("caps") or ()) & set(caps))


def _holds(condition: dict[str, Any], args: tuple[int, ...]) -> bool:
    value = args[condition["index"]]
    want, two = condition["value"], condition.get("valueTwo", 0)
    return {
        "SCMP_CMP_EQ": value == want,
        "SCMP_CMP_NE": value != want,
        "SCMP_CMP_LT": value < want,
        "SCMP_CMP_GT": value > want,
        "SCMP_CMP_MASKED_EQ": value & want == two,
    }[condition["op"]]


def test_shipped_files_are_what_the_groups_say() -> None:
    for name, profile in generate_seccomp.profiles(FACTS).items():
        assert shipped(name) == profile, f"{name}: run tools/generate_seccomp.py"


def test_every_group_says_why() -> None:
    for kind in ("group", "beyond", "refusal", "allowlist", "denylist"):
        for group in FACTS[kind]:
            assert len(group["why"]) > 10, group


@pytest.fixture(scope="session")
def engines_default(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The engine's own default profile, from Debian's package of its source."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("the engine's own seccomp profile was not compared: no apt here")
    folder = tmp_path_factory.mktemp("moby")
    done = subprocess.run(
        ["apt-get", "download", "-q", DEBIAN_PACKAGE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    packages = list(folder.glob("*.deb"))
    if not packages:
        pytest.skip(
            f"the engine's own seccomp profile was not compared: apt-get download {DEBIAN_PACKAGE} "
            f"gave no file: {done.stderr.strip()[-200:]}"
        )
    subprocess.run(["dpkg-deb", "-x", packages[0], folder], check=True)
    paths = list(folder.glob("usr/**/docker/profiles/seccomp/default.json"))
    data: dict[str, Any] = json.loads(paths[0].read_text())
    return data


def test_all_groups_together_are_the_engines_default(engines_default: dict[str, Any]) -> None:
    ours = generate_seccomp.default_profile(FACTS)
    assert rules(ours) == rules(engines_default)
    assert ours["archMap"] == [
        entry | {"subArchitectures": entry["subArchitectures"] or []}
        for entry in engines_default["archMap"]
    ]
    assert (ours["defaultAction"], ours["defaultErrnoRet"]) == (
        engines_default["defaultAction"],
        engines_default["defaultErrnoRet"],
    )


@pytest.mark.parametrize("name", ALLOWLISTS)
def test_an_allowlist_only_takes_away(name: str) -> None:
    default = generate_seccomp.default_profile(FACTS)
    added = rules(shipped(name)) - rules(default)
    # What is added is narrower than what it stands in for, shown call by call below.
    assert {rule[0] for rule in added} <= {"socket", "socketcall"}
    for family in range(64):
        if verdict(shipped(name), "socket", family) == 0:
            assert verdict(default, "socket", family) == 0


@pytest.mark.parametrize("name", ALLOWLISTS)
def test_allowlist_on_calls(name: str) -> None:
    profile = shipped(name)
    assert verdict(profile, "socket", 38) == EPERM, "AF_ALG"
    assert verdict(profile, "socket", 40) == EPERM, "AF_VSOCK"
    # The kernel reads 32 bits of a family, the filter compares 64.
    assert verdict(profile, "socket", 38 | 1 << 32) == EPERM, "AF_ALG with a bit above it"
    assert verdict(profile, "socket", 40 | 1 << 32) == EPERM, "AF_VSOCK with a bit above it"
    assert [verdict(profile, "socket", family) for family in (1, 2, 10, 16, 17)] == [0] * 5
    assert verdict(profile, "clone3") == ENOSYS
    assert verdict(profile, "clone", 0x11) == 0
    assert verdict(profile, "clone", 0x10000000) == EPERM
    for call in ("unshare", "setns", "mount", "bpf", "keyctl", "io_uring_setup", "userfaultfd"):
        assert verdict(profile, call) == EPERM, call
    # Without these node, file watching, `time.sleep` and tar fail: the seed's list lacks them.
    for call in ("eventfd2", "inotify_add_watch", "clock_nanosleep", "copy_file_range", "statx"):
        assert verdict(profile, call) == 0, call


def test_agent_takes_tracing_from_dev() -> None:
    dev, agent = shipped("dev-runc.json"), shipped("agent-runc.json")
    gone = {rule[0] for rule in rules(dev) - rules(agent)}
    assert gone == {
        "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd",
        "process_madvise", "socketcall",
    }  # fmt: skip
    for call in gone:
        assert verdict(agent, call, caps=("CAP_SYS_PTRACE",)) == EPERM


@pytest.mark.parametrize("name", DENYLISTS)
def test_denylist_on_calls(name: str) -> None:
    profile = shipped(name)
    namespaces = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
    assert [verdict(profile, "clone", flag | 0x11) for flag in namespaces] == [EPERM] * 7
    assert verdict(profile, "clone", 0x3D0F00) == 0, "a thread"
    assert verdict(profile, "clone3") == 0, "gVisor gives EPERM where ENOSYS is meant"
    for call in ("mount", "umount2", "move_mount", "setns", "unshare", "keyctl", "add_key"):
        assert verdict(profile, call) == EPERM
    assert verdict(profile, "read") == 0
    assert verdict(profile, "ptrace") == (EPERM if name.startswith("agent") else 0)


@pytest.mark.parametrize("name", NESTED)
def test_a_list_of_nested_sandbox_opens_the_calls_of_bubblewrap_and_no_others(name: str) -> None:
    nested, plain = shipped(name), shipped(name.replace("-nested", ""))
    opened = {rule[0] for rule in rules(nested) - rules(plain)}
    assert opened == {"clone", "unshare", "mount", "umount2", "pivot_root"}
    assert {rule[0] for rule in rules(plain) - rules(nested)} == {"clone"}
    for flag in (0x20000, 0x10000000, 0x40000000):
        assert verdict(nested, "clone", flag | 0x11) == 0
    assert verdict(nested, "clone3") == ENOSYS
    for call in ("setns", "fsopen", "move_mount", "mount_setattr", "sethostname", "bpf", "keyctl"):
        assert verdict(nested, call) == EPERM, call


@pytest.mark.parametrize("name", NESTED_DENYLISTS)
def test_under_gvisor_nested_sandbox_only_takes_refusals_back(name: str) -> None:
    nested, plain = shipped(name), shipped(name.replace("-nested", ""))
    assert rules(nested) < rules(plain)
    assert [verdict(nested, call, 0x10000000) for call in ("clone", "unshare", "mount")] == [0] * 3
    assert verdict(nested, "keyctl") == EPERM


def test_the_seeds_list_is_kept_with_its_faults() -> None:
    seed = shipped("seed-baseline.json")
    assert seed["architectures"] == ["SCMP_ARCH_X86_64"]
    assert verdict(seed, "clone", 0x10000000) == 0
    assert verdict(seed, "socket", 40) == 0
    for call in ("eventfd2", "inotify_add_watch", "clock_nanosleep"):
        assert verdict(seed, call) == EPERM


def test_what_is_said_to_be_absent_is_refused_by_every_list() -> None:
    default = generate_seccomp.default_profile(FACTS)
    calls = [call for group in FACTS["absent"] for call in group["syscalls"]]
    for profile in (default, *map(shipped, ALLOWLISTS)):
        assert [call for call in calls if verdict(profile, call) != EPERM] == []


def test_everything_that_is_blocked_says_what_that_breaks() -> None:
    groups = {group["name"]: group for group in FACTS["group"]}
    blocked = [
        groups[name]
        for entry in FACTS["allowlist"]
        if entry["file"] in ALLOWLISTS
        for name in entry["without"]
    ]
    for group in (*blocked, *FACTS["refusal"], *FACTS["absent"]):
        assert group["breaks"] and group["why"], group["name"]


def test_a_group_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="there is no group"):
        generate_seccomp.allowlist(FACTS, {"file": "x", "without": ["nope"], "with": []})


def test_check_mode_sees_a_stale_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "seccomp"
    shutil.copytree(FOLDER, copy)
    monkeypatch.setattr(generate_seccomp, "FOLDER", str(copy))
    assert generate_seccomp.main(["--check"]) == 0
    (copy / "dev-runc.json").write_text("{}")
    assert generate_seccomp.main(["--check"]) == 1
    assert "dev-runc.json: is stale" in capsys.readouterr().out
    assert generate_seccomp.main([]) == 0
    assert generate_seccomp.main(["--check"]) == 0

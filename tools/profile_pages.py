"""docs/profiles.md, from the profiles and from the facts that their seccomp lists are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandboxd.plan import profiles
from sandboxd.plan.profiles import Profile
from tools.generate_seccomp import load_facts

_ORDER = ("trusted", "dev", "agent", "untrusted", "review", "seed-baseline")
_HEAD = """# Profiles

A profile is what a sandbox is for. `profile = "NAME"` in sandboxd.toml chooses one; `sandboxd
explain-plan` says what follows from it here, and what of it is not in force. That what a profile
lets work works, and what it stops is stopped, is shown on a live engine by
`tests/e2e/test_workloads.py`.

"""
_RUNSC = """Under gVisor a list of what is allowed would break threads (docs/decisions/0018), so all
is allowed but this; it holds for what the container's first process starts, not for `exec`:
"""

_NESTED = """
## nested_sandbox

Agents bring bubblewrap to hold their own commands. Here it is not needed: switch the agent's own sandbox off,
sandboxd is around it. Where that cannot be, `nested_sandbox = "calls"` in sandboxd.toml opens these calls under
runc, and no others, for every program inside:

"""
_NOT_NESTED = """
It counts only after `sandboxd trust add`, and only on a private copy of the workspace: a program that leaves the
engine's mounts behind could move away what is pinned in your folder (docs/decisions/0052; `sandboxd verify`
tries it as `pin-pivot`). It is refused where Compose services run beside the sandbox, for they would get the same
list. What bubblewrap then still cannot do:

- A fresh `/proc` (`--unshare-pid --proc /proc`): the kernel refuses it while parts of `/proc` are masked. Use
  `--bind /proc /proc`.
- `--disable-userns` and `--hostname`: `/proc/sys` is read-only, and `sethostname` stays refused.
- Anything where AppArmor's profile for the container refuses mounts, as sandboxd's and the engine's do.

Under gVisor nothing is opened on the host's kernel: namespaces and mounts are gVisor's own. Bubblewrap 0.12 does
not run in runsc 20240729 (`Failed to make / slave`); newer builds were not tried.
`tests/e2e/test_nested_sandbox.py` shows each of these on a live engine, but for AppArmor's.
"""


_BY_FILES = {True: ("[groups](network-groups.md) that the project's files call for",), False: ()}


def page() -> str:
    """All profiles side by side, then each with what it blocks and what that breaks."""
    names = [*_ORDER, *sorted(set(profiles.names()) - set(_ORDER))]
    loaded = [profiles.load(name) for name in names]
    facts = load_facts()
    parts = [_HEAD, _table(loaded)]
    parts += [_profile(profile, facts) for profile in loaded]
    return "".join([*parts, _nested(facts), _absent(facts)])


def _table(loaded: list[Profile]) -> str:
    rows: dict[str, Callable[[Profile], str]] = {
        "runtime": lambda p: {
            "required": "gVisor, else refused",
            "preferred": "gVisor, else runc",
            "on request": "runc",
        }[p.gvisor],
        "chosen by the repository alone": lambda p: (
            "no, `sandboxd trust`" if p.needs_grant else "yes"
        ),
        "capabilities dropped": lambda p: " ".join(p.cap_drop) or "none",
        "given back": lambda p: " ".join(p.cap_add) or "none",
        "may be asked for": lambda p: " ".join(p.cap_may_add) or "none",
        "[nested_sandbox](#nested_sandbox)": lambda p: (
            "by `sandboxd trust`, on a copy" if p.nested_runc else "refused"
        ),
        "no-new-privileges": lambda p: _yes(p.no_new_privileges),
        "user": lambda p: {"non-root": "not root", "image": "the image's"}[p.user],
        "root file system": lambda p: "read-only" if p.read_only_root else "writable",
        "workspace": lambda p: {
            "rw": "writable",
            "ro": "read-only",
            "copy": (
                f"a copy that lasts; in memory, {p.copy}, where another tool than `sandboxd up` starts it"
                if p.lasts
                else f"a copy in memory, {p.copy}"
            ),
        }[p.access],
        "kept in memory under gVisor": lambda p: (
            f"what tools fill, {p.hot} each"
            if p.hot and p.access == "rw"
            else "nothing of the workspace"
        ),
        "control files pinned": lambda p: {
            "rw": str(len(p.control_files) or "none"),
            "ro": "all is",
            "copy": "the original is",
        }[p.access],
        "network": lambda p: {
            "open": "open",
            "allow": "names through the gateway",
            "none": "none",
        }[p.network.mode],
        "names allowed by itself": lambda p: (
            (
                ", ".join((*p.network.allow, *_BY_FILES[p.network.by_files]))
                if p.network.mode == "allow"
                else "n/a"
            )
            or "none"
        ),
        "a trusted sandboxd.toml may loosen it to": lambda p: {
            "open": "open",
            "allow": "names through the gateway",
            "none": "nothing",
        }[p.network.loosest],
        "lifecycle hooks under `sandboxd up`": lambda p: "run inside" if p.hooks else "not run",
        "network without a gateway": lambda p: (
            p.network.without_gateway if p.network.mode == "allow" else p.network.mode
        ),
        "memory": lambda p: p.memory or "no limit",
        "processes": lambda p: str(p.processes or "no limit"),
        "processors": lambda p: (
            "no limit" if not p.cpus else f"{p.cpus} of the host's" if "%" in p.cpus else p.cpus
        ),
        "time": lambda p: p.time or "no limit",
        "AppArmor on runc, where loaded": lambda p: p.apparmor or "the engine's",
    }
    text = "| | " + " | ".join(f"[{p.name}](#{p.name})" for p in loaded) + " |\n"
    text += "|---" * (len(loaded) + 1) + "|\n"
    for title, cell in rows.items():
        text += f"| {title} | " + " | ".join(cell(p) for p in loaded) + " |\n"
    return text


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _profile(profile: Profile, facts: dict[str, Any]) -> str:
    text = f"\n## {profile.name}\n\nFor {profile.purpose}.\n\n"
    if profile.control_files and profile.access == "rw":
        files = ", ".join(f"`{name}`" for name in profile.control_files)
        text += f"Read-only inside, where they are there or can be made: {files}.\n\n"
    text += _runc(profile, facts) + _runsc(profile, facts)
    if profile.faults:
        text += "\nKnown weaknesses, shown with every plan:\n\n"
        text += "".join(f"- {fault.control}: {fault.why}\n" for fault in profile.faults)
    return text


def _runc(profile: Profile, facts: dict[str, Any]) -> str:
    if not profile.seccomp_runc:
        return "Under runc: the engine's own seccomp list.\n"
    entries = {entry["file"]: entry for entry in facts["allowlist"]}
    if profile.seccomp_runc not in entries:
        return f"Under runc: `{profile.seccomp_runc}`, a list of its own.\n"
    entry = entries[profile.seccomp_runc]
    groups = {group["name"]: group for group in facts["group"]}
    text = f"Under runc ({profile.seccomp_runc}): {entry['why']}. Beyond what Docker's default refuses:\n\n"
    narrower = ", ".join(f"`{name}`" for name in entry["with"])
    text += _blocked([groups[name] for name in entry["without"]])
    return text + f"\nIn place of these, narrower: {narrower}.\n"


def _runsc(profile: Profile, facts: dict[str, Any]) -> str:
    entries = {entry["file"]: entry for entry in facts["denylist"]}
    if profile.seccomp_runsc not in entries:
        return "\nUnder gVisor: no seccomp list.\n"
    refusals = {refusal["name"]: refusal for refusal in facts["refusal"]}
    refused = [refusals[name] for name in entries[profile.seccomp_runsc]["refuse"]]
    return f"\n{_RUNSC}\n{_blocked(refused)}"


def _nested(facts: dict[str, Any]) -> str:
    text = _NESTED + "| opened | calls | what it is |\n|---|---|---|\n"
    for group in facts["beyond"]:
        calls = " ".join(f"`{call}`" for call in group["syscalls"])
        text += f"| {group['name']} | {calls} | {group['why']} |\n"
    return text + _NOT_NESTED


def _absent(facts: dict[str, Any]) -> str:
    text = "\n## What every list for runc refuses\n\n"
    text += "Docker's default does not have these without a capability that no profile gives:\n\n"
    return text + _blocked(facts["absent"])


def _blocked(groups: list[dict[str, Any]]) -> str:
    text = "| blocked | calls | what it is | what that breaks |\n|---|---|---|---|\n"
    for group in groups:
        calls = " ".join(f"`{call}`" for call in group["syscalls"])
        text += f"| {group['name']} | {calls} | {group['why']} | {group['breaks']} |\n"
    return text

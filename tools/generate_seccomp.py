"""Write the seccomp profiles of `profiles/seccomp` from the facts in `groups.toml`.

Usage: python tools/generate_seccomp.py [--check]

An allowlist is moby's default minus named groups; `with` may only name a narrower form of a group
in `without`. What the engine's own default refuses is allowed by the groups in `beyond` alone, which
only the lists of `nested_sandbox` have. A denylist (for gVisor) allows by default and refuses named
groups.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from typing import Any

FOLDER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "profiles", "seccomp"
)

Table = dict[str, Any]


def load_facts(folder: str = FOLDER) -> Table:
    """The parsed `groups.toml`."""
    with open(os.path.join(folder, "groups.toml"), "rb") as file:
        return tomllib.load(file)


def profiles(facts: Table) -> dict[str, Table]:
    """All generated profiles by file name."""
    texts = {entry["file"]: allowlist(facts, entry) for entry in facts["allowlist"]}
    texts.update({entry["file"]: denylist(facts, entry) for entry in facts["denylist"]})
    return texts


def default_profile(facts: Table) -> Table:
    """Moby's default, as the sum of all groups that are part of it."""
    return _profile(facts, "SCMP_ACT_ERRNO", [_rule(g) for g in facts["group"] if _in_default(g)])


def allowlist(facts: Table, entry: Table) -> Table:
    """Moby's default minus the groups of ``without`` plus those of ``with`` and ``beyond``."""
    beyond = {group["name"]: group for group in facts["beyond"]}
    unknown = {*entry["without"], *entry["with"]} - {group["name"] for group in facts["group"]}
    unknown |= {*entry.get("beyond", ())} - beyond.keys()
    if unknown:
        raise ValueError(f"{entry['file']}: there is no group {sorted(unknown)}")
    groups = [
        group
        for group in facts["group"]
        if (_in_default(group) and group["name"] not in entry["without"])
        or (not _in_default(group) and group["name"] in entry["with"])
    ]
    groups += [beyond[name] for name in entry.get("beyond", ())]
    return _profile(facts, "SCMP_ACT_ERRNO", [_rule(group) for group in groups])


def denylist(facts: Table, entry: Table) -> Table:
    """Everything but the refusals that the entry names."""
    refusals = {refusal["name"]: refusal for refusal in facts["refusal"]}
    rules: list[Table] = []
    for name in entry["refuse"]:
        refusal = refusals[name]
        base = {"names": refusal["syscalls"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
        for flag in refusal.get("flags", [None]):
            rules.append(base if flag is None else base | {"args": [_has_flag(flag)]})
    return _profile(facts, "SCMP_ACT_ALLOW", rules)


def _has_flag(flag: int) -> Table:
    return {"index": 0, "value": flag, "valueTwo": flag, "op": "SCMP_CMP_MASKED_EQ"}


def _profile(facts: Table, default: str, rules: list[Table]) -> Table:
    head: Table = {"defaultAction": default}
    if default == "SCMP_ACT_ERRNO":
        head["defaultErrnoRet"] = 1
    head["archMap"] = [
        {"architecture": entry["name"], "subArchitectures": entry["also"]}
        for entry in facts["architecture"]
    ]
    return head | {"syscalls": rules}


def _in_default(group: Table) -> bool:
    return bool(group.get("in_default", True))


def _rule(group: Table) -> Table:
    """A rule in the spelling of moby's profile format."""
    rule: Table = {"names": group["syscalls"], "action": group.get("action", "SCMP_ACT_ALLOW")}
    if "errno" in group:
        rule["errnoRet"] = group["errno"]
    if "argument" in group:
        argument = group["argument"]
        rule["args"] = [
            {"index": argument["index"], "value": argument["value"], "op": argument["operator"]}
        ]
    for key, field in (("only", "includes"), ("unless", "excludes")):
        if key in group:
            rule[field] = _condition(group[key])
    return rule


def _condition(facts: Table) -> Table:
    names = {"capabilities": "caps", "architectures": "arches", "kernel": "minKernel"}
    return {names[key]: value for key, value in facts.items()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file is stale"
    )
    check = parser.parse_args(arguments).check
    stale = []
    for name, profile in profiles(load_facts()).items():
        path = os.path.join(FOLDER, name)
        text = json.dumps(profile, indent=1) + "\n"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                if file.read() == text:
                    continue
        stale.append(name)
        if not check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    for name in stale:
        print(f"{name}: {'is stale' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Writes a seccomp filter in the form that a kubelet passes to its runtime: that of the OCI runtime specification.

Our profiles are in Docker's form, which has rules that apply only with a capability or on an architecture. A reader of
the OCI form ignores these conditions and applies each rule always, which would allow `mount`, `unshare` and `setns`.
Here the conditions are evaluated for a container without capabilities, and the result means the same in both forms.

Sources: https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp,
https://kubernetes.io/docs/tutorials/security/seccomp/.
"""

from __future__ import annotations

import json
from typing import Any

from sandboxd.files import read_source
from sandboxd.formats import seccomp
from sandboxd.model.seccomp import Context, SeccompProfile

ARCHITECTURES = ("amd64", "arm64")
"""Architectures of nodes, as Kubernetes names them (label `kubernetes.io/arch`)."""

_NATIVE = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}
_FIELDS = ("names", "action", "errnoRet", "args")


def render(path: str, architecture: str) -> str:
    """The text of the filter for nodes of one architecture.

    :param path: a shipped profile, in Docker's form
    :param architecture: one of `ARCHITECTURES`
    """
    source = read_source(path)
    written = json.loads(source.text)
    ((_, profile),) = seccomp.subjects(seccomp.parse(source))
    assert isinstance(profile, SeccompProfile)
    context = Context(architecture)
    rules = zip(written["syscalls"], profile.rules, strict=True)
    filter_: dict[str, Any] = {
        key: written[key] for key in ("defaultAction", "defaultErrnoRet") if key in written
    }
    filter_["architectures"] = _architectures(written, architecture)
    filter_["syscalls"] = [
        {key: entry[key] for key in _FIELDS if key in entry}
        for entry, rule in rules
        if rule.applies(context)
    ]
    return json.dumps(filter_, indent=1) + "\n"


def _architectures(written: dict[str, Any], architecture: str) -> list[str]:
    """The native architecture first, then those whose programs run on such a machine as well."""
    native = _NATIVE[architecture]
    for entry in written.get("archMap", ()):
        if entry["architecture"] == native:
            return [native, *entry.get("subArchitectures", ())]
    return [native]

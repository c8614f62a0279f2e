"""Reads the raw facts about the machine and its engine; `host.facts.raw_answers.from_raw` interprets them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sandboxd.engine.client import Engine, connect
from sandboxd.engine.contexts import resolve
from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.process import makes_rules
from sandboxd.folders import cache_folder
from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.engine import is_podman, product_name, usable_runtimes
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.installed import cuse, packages, programs
from sandboxd.host.memory import Memory, open_memory
from sandboxd.host.program_files import build_of, locate
from sandboxd.host.trials import has_own_kernel, host_boot_id, run_trials

Trying = Literal["remembered", "unknown", "all"]
"""Which premises of gVisor builds are tried: none (``remembered``), those without a cached answer, or all of them.

``all`` also tries all runtimes again."""

_NVIDIA = "/proc/driver/nvidia/version"
"""The file in which NVIDIA's driver gives its version."""


def probe(
    environ: Mapping[str, str], *, trial: bool, premises: Trying = "unknown", timeout: float = 5.0
) -> HostFacts:
    """Find out what this machine and its engine can do.

    :param trial: whether to start one container with each runtime
    :param premises: ``remembered`` for a caller that must not wait: trying a build takes a second or two
    :param timeout: seconds for each answer of the engine
    """
    return from_raw(raw_facts(environ, trial=trial, premises=premises, timeout=timeout))


def raw_facts(
    environ: Mapping[str, str], *, trial: bool, premises: Trying = "unknown", timeout: float = 5.0
) -> dict[str, Any]:
    """The raw facts as a JSON value: `doctor --raw` prints it and `--facts` reads it back. Parameters as in `probe`."""
    facts = machine_raw(environ)
    memory = open_memory(environ)
    facts["engine"] = engine = _engine(
        environ, str(facts["kernel"]), trial, premises, timeout, memory
    )
    if _is_of_this_kernel(engine, str(facts["kernel"])):
        facts["cuse"] = cuse(str(facts["kernel"]))
        facts["packages"] = packages(memory)
        facts["nvidia"] = {"driver": _read(_NVIDIA) or "", "toolkit": _toolkit(memory)}
    memory.save()
    return facts


def _is_of_this_kernel(engine: dict[str, Any], kernel: str) -> bool:
    """Whether the engine that answered runs its containers on this machine's own kernel."""
    info = engine.get("info")
    return str(engine["host"]).startswith("unix:") and (info or {}).get("KernelVersion") == kernel


def machine_raw(environ: Mapping[str, str]) -> dict[str, Any]:
    """The raw facts about the machine alone; no engine is asked."""
    system = _system()
    facts: dict[str, Any] = {
        "version": 1,
        "system": system.sysname or None,
        "kernel": system.release or None,
        "architecture": system.machine or None,
        "uid": os.getuid() if hasattr(os, "getuid") else None,
        "gid": os.getgid() if hasattr(os, "getgid") else None,
        "home": environ.get("HOME"),
        "proc_version": _read("/proc/version"),
        "boot_id": host_boot_id(),
        "apparmor": _read("/sys/module/apparmor/parameters/enabled"),
        "apparmor_profiles": _read("/sys/kernel/security/apparmor/profiles"),
        "seccomp_actions": _read("/proc/sys/kernel/seccomp/actions_avail"),
        "cgroup2": os.path.exists("/sys/fs/cgroup/cgroup.controllers"),
        "os_release": _read("/etc/os-release") or _read("/usr/lib/os-release"),
        "init": _read("/proc/1/comm"),
        "max_user_namespaces": _read("/proc/sys/user/max_user_namespaces"),
        "unprivileged_userns_clone": _read("/proc/sys/kernel/unprivileged_userns_clone"),
        "apparmor_restrict_unprivileged_userns": _read(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
        ),
        "kvm": os.path.exists("/dev/kvm") if os.path.isdir("/dev") else None,
        "machine": _machine(),
        "ci": _ci(environ),
        "programs": programs(environ),
    }
    if system.sysname == "Linux":
        facts["selinux"] = _read("/sys/fs/selinux/enforce") or ""
    return facts


class _System(NamedTuple):
    sysname: str
    release: str
    machine: str


def _system() -> _System:
    if hasattr(os, "uname"):
        system = os.uname()
        return _System(system.sysname, system.release, system.machine)
    import platform

    return _System(platform.system(), platform.release(), platform.machine())


def _engine(
    environ: Mapping[str, str],
    kernel: str,
    trial: bool,
    premises: Trying,
    timeout: float,
    memory: Memory,
) -> dict[str, Any]:
    identity = resolve(environ)
    host = identity.host
    checked = identity.tls is not None and identity.tls.verify
    engine: dict[str, Any] = {
        "host": host,
        "context": identity.context,
        "tls": checked if host.startswith(("tcp:", "http")) else None,
    }
    try:
        api = connect(identity, timeout)
        engine["server_version"] = api.version()
        info = api.info()
        engine["info"] = _trim(info)
        engine["name"] = product_name(info.get("Name"))
        engine["images"] = _images_with_label(api)
    except EngineFailure as error:
        engine["failure"] = {"case": error.case, "detail": error.detail}
        # A config is generated also while the engine is down; it must not fall back to runc then.
        engine["remembered"] = memory.get(f"engine:{host}")
        return engine
    if identity.is_local:
        engine["buildkitd"] = _version("buildkitd", memory)
    podman = is_podman(engine["server_version"])
    if not podman and identity.is_local:
        engine["firewall_rules"] = makes_rules(host)
    offered = usable_runtimes(engine["info"], podman)
    runtimes = _runtimes(offered, identity.is_local, memory)
    engine["runtime_versions"] = {r["name"]: r["version"] for r in runtimes}
    if identity.is_local and os.path.exists(_NVIDIA):
        engine["nvproxy_drivers"] = {
            r["name"]: _ask(r["path"], "nvproxy", "list-supported-drivers", memory=memory)
            for r in runtimes
            if any(arg.lstrip("-").startswith("nvproxy") for arg in r["args"])
        }
    if trial:
        anew = premises == "all"
        engine["trials"] = run_trials(api, engine["info"], runtimes, kernel, memory, anew)
        engine["premises"] = _premises(environ, api, engine, runtimes, memory, premises)
        remembered = {key: engine[key] for key in engine if key not in ("host", "context", "tls")}
        # Not remembered: it changes with every `up`, and asking is faster than writing a file safely.
        remembered["info"] = {k: v for k, v in engine["info"].items() if k != "ContainersRunning"}
        memory.put(f"engine:{host}", remembered)
    return engine


def _premises(
    environ: Mapping[str, str],
    api: Engine,
    engine: Mapping[str, Any],
    runtimes: list[dict[str, Any]],
    memory: Memory,
    trying: Trying,
) -> dict[str, Any]:
    """The results for each gVisor runtime; only a local engine can bind this machine's folders."""
    if not any(map(has_own_kernel, engine["trials"].values())):
        return {}
    # Late: most engines have no gVisor, and it brings what tries it.
    from sandboxd.host import premises

    info = engine["info"]
    kernel = str(info.get("KernelVersion"))
    those = premises.subjects(runtimes, engine["trials"])
    answers = {} if trying == "all" else premises.recall(str(info.get("ID")), those, kernel, memory)
    unknown = [subject for subject in those if subject.name not in answers]
    if not api.is_local:
        far = {"premises": {}, "message": "the engine's machine does not see a folder of this one"}
        answers |= {subject.name: far for subject in unknown}
    elif trying != "remembered":
        answers |= premises.run(api, info, unknown, kernel, memory, cache_folder(environ))
    return {
        name: {k: v for k, v in answer.items() if k != "at"} for name, answer in answers.items()
    }


# The keys that are judged. The rest of `docker info` (registries, proxies, labels) may hold secrets.
_INFO_KEYS = (
    "ID",
    "Architecture",
    "CgroupDriver",
    "CgroupVersion",
    "ContainersRunning",
    "CpuCfsQuota",
    "DefaultRuntime",
    "KernelVersion",
    "LiveRestoreEnabled",
    "MemTotal",
    "MemoryLimit",
    "NCPU",
    "OSType",
    "OperatingSystem",
    "PidsLimit",
    "Runtimes",
    "SecurityOptions",
    "ServerVersion",
)


def _images_with_label(engine: Engine) -> list[dict[str, Any]]:
    """The images that bring settings for dev container tools: that label alone, since a report may be shown to others."""
    key = "devcontainer.metadata"
    return [
        {"RepoTags": image.get("RepoTags"), "Labels": {key: (image.get("Labels") or {}).get(key)}}
        for image in engine.images(key)
    ]


def _trim(info: dict[str, Any]) -> dict[str, Any]:
    trimmed = {key: info[key] for key in _INFO_KEYS if key in info}
    if "name=userns" in (info.get("SecurityOptions") or []):
        # Its last part names the ids that root is mapped to; the rest may name a person.
        trimmed["DockerRootDir"] = os.path.basename(str(info.get("DockerRootDir") or ""))
    runtimes = trimmed.get("Runtimes") or {}
    trimmed["Runtimes"] = {
        name: {key: entry[key] for key in ("path", "runtimeArgs") if key in entry}
        | _version_in_features(entry)
        for name, entry in runtimes.items()
        if name != "io.containerd.runc.v2"  # another name of runc
    }
    return trimmed


def _version_in_features(entry: dict[str, Any]) -> dict[str, str]:
    """The version by which the engine itself knows its runc, which may be another than the one in our PATH."""
    status = entry.get("status")
    try:
        features = json.loads((status or {})["org.opencontainers.runtime-spec.features"])
        return {"version": str(features["annotations"]["org.opencontainers.runc.version"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _runtimes(
    offered: dict[str, dict[str, Any]], local: bool, memory: Memory
) -> list[dict[str, Any]]:
    """The registered runtimes with the versions that their programs print."""
    described = []
    versions: dict[str, str | None] = {}
    for name, entry in sorted(offered.items()):
        path = str(entry.get("path") or "")
        if local and path not in versions:
            versions[path] = _version(path, memory)
        described.append(
            {
                "name": name,
                "path": path,
                "args": entry.get("runtimeArgs") or [],
                "version": entry.get("version") or versions.get(path),
                "build": build_of(path) if local else "",
            }
        )
    return described


def _toolkit(memory: Memory) -> str:
    """The version that NVIDIA's Container Toolkit prints; '' where engines have no hook of it."""
    # By one of these an engine passes devices in, the second with CDI (moby#50228).
    hooks = ("nvidia-container-runtime-hook", "nvidia-cdi-hook")
    hook = next((path for name in hooks if (path := locate(name))), "")
    return (_version("nvidia-ctk", memory) or hook) if hook else ""


def _version(path: str, memory: Memory) -> str | None:
    """The first line of the version that a program prints."""
    answer = _ask(path, "--version", memory=memory)
    return answer.splitlines()[0].strip()[:100] if answer else None


def _ask(path: str, *words: str, memory: Memory) -> str | None:
    """The output of a program, read again only when its file changed; None where it fails."""
    program = locate(path)
    build = build_of(path)
    if not build:
        return None
    key = f"{' '.join(words).strip('-')}:{program}:{build}"
    remembered = memory.get(key)
    if isinstance(remembered, str):
        return remembered
    answer = _run(program, *words)
    if answer is not None:
        memory.put(key, answer)
    return answer


def _run(program: str, *words: str) -> str | None:
    import subprocess

    try:
        result = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = result.stdout.strip()[:4096]
    return text if text and result.returncode == 0 else None


def _machine() -> str | None:
    """The name that the firmware gives this machine: that of a hypervisor where there is one."""
    names = [_read(f"/sys/class/dmi/id/{file}") for file in ("sys_vendor", "product_name")]
    return " ".join(text for text in names if text) or None


def _ci(environ: Mapping[str, str]) -> str | None:
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environ.get("GITLAB_CI") else None


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return None

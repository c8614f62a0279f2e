"""Every rule: what it is asked about, and what that must hold for it to say anything.

Made by `./dev docs` from the modules beside it.
"""

from __future__ import annotations

# fmt: off
RULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "apparmor-unconfined": ("Container", ("security_opt",)),
    "cap-add-all": ("Container", ("cap_add",)),
    "cap-add-sys-admin": ("Container", ("cap_add",)),
    "cap-drop-missing": ("Container", ()),
    "config-invalid-value": ("Document", ("sandboxd_toml",)),
    "config-syntax-error": ("Document", ("sandboxd_toml",)),
    "config-unknown-key": ("Document", ("sandboxd_toml",)),
    "config-unknown-profile": ("Document", ("sandboxd_toml",)),
    "config-wrong-type": ("Document", ("sandboxd_toml",)),
    "credentials-mounted": ("Container", ("mounts",)),
    "docker-socket-mounted": ("Container", ("mounts",)),
    "duplicate-key": ("Document", ("problems",)),
    "home-mounted": ("Container", ("mounts",)),
    "host-network": ("Container", ("network",)),
    "host-pid": ("Container", ("pid",)),
    "host-root-mounted": ("Container", ("mounts",)),
    "initialize-command": ("Container", ("host_commands",)),
    "json-syntax-error": ("Document", ("problems",)),
    "no-new-privileges-disabled": ("Container", ("security_opt",)),
    "no-new-privileges-missing": ("Container", ()),
    "privileged-container": ("Container", ("privileged",)),
    "seccomp-allows-bpf-perf-uffd": ("SeccompProfile", ()),
    "seccomp-allows-handle-at": ("SeccompProfile", ()),
    "seccomp-allows-io-uring": ("SeccompProfile", ()),
    "seccomp-allows-keyctl": ("SeccompProfile", ()),
    "seccomp-allows-module-kexec-reboot": ("SeccompProfile", ()),
    "seccomp-allows-mount": ("SeccompProfile", ()),
    "seccomp-allows-namespaces": ("SeccompProfile", ()),
    "seccomp-allows-ptrace-vm": ("SeccompProfile", ()),
    "seccomp-arch-missing": ("SeccompProfile", ("architectures",)),
    "seccomp-breaks-dev-tools": ("SeccompProfile", ()),
    "seccomp-clone3-eperm": ("SeccompProfile", ()),
    "seccomp-default-allow": ("SeccompProfile", ("default",)),
    "seccomp-duplicate-rule": ("SeccompProfile", ()),
    "seccomp-not-strict-json": ("Document", ("seccomp",)),
    "seccomp-notify-without-listener": ("SeccompProfile", ()),
    "seccomp-socket-unfiltered": ("SeccompProfile", ()),
    "seccomp-unconfined": ("Container", ("security_opt",)),
    "seccomp-unknown-syscall": ("SeccompProfile", ()),
    "suppression-without-reason": ("Suppression", ()),
    "unused-suppression": ("Suppression", ()),
}

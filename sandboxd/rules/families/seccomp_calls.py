"""System calls that a seccomp profile lets everybody make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.seccomp import PLAIN, Context
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile
    from sandboxd.model.values import Value

MOUNT = (
    *("mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
)
KERNEL = (
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
    *("reboot", "swapon", "swapoff", "acct", "iopl", "ioperm"),
)
KEYRING = ("keyctl", "add_key", "request_key")
IO_URING = ("io_uring_setup", "io_uring_enter", "io_uring_register")
TRACING = ("bpf", "perf_event_open", "userfaultfd")
HANDLES = ("open_by_handle_at",)

_MOST_NAMES = 4


class Calls(NamedTuple):
    """One finding about those of `calls` that a list names and lets everybody make.

    A list that allows by default opens nearly everything: `seccomp-default-allow` says so once.
    """

    META: RuleMeta
    calls: tuple[str, ...]
    effect: str
    """The rest of the message, behind the names of the calls: what they open."""
    caution: str
    """What stops working without them."""
    context: Context = PLAIN
    """The system on which they are open."""

    def check(self, subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
        if subject.is_denylist():
            return
        names = subject.open_calls(self.calls, self.context)
        if not names:
            return
        changes = tuple(Remove(value) for value in names)
        title = f"take {_list_names(names)} off the list"
        yield at_value(
            self.META,
            names[0],
            f"{_list_names(names)}: {self.effect}",
            ", ".join(value.value for value in names),
            remedies=(Remedy(title, safe=False, changes=changes, caution=self.caution),),
        )


def _list_names(values: list[Value[str]]) -> str:
    """The first few names, and how many more there are."""
    names = [f"`{value.value}`" for value in values[:_MOST_NAMES]]
    more = len(values) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


ROWS = (
    Calls(
        RuleMeta(
            id="seccomp-allows-bpf-perf-uffd",
            summary="the profile allows bpf, perf events or userfaultfd",
            severity=Severity.WARNING,
            since="0.1.0",
            why="these calls have been a part of most kernel exploits of the last years",
        ),
        calls=TRACING,
        effect="large parts of the kernel are open that exploits build on",
        caution="`perf`, `bpftrace` and checkpointing stop working",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-handle-at",
            summary="the profile lets everybody open files by handle",
            severity=Severity.ERROR,
            since="0.1.0",
            why="a file handle names any file of the disk, inside or outside of the container",
        ),
        calls=HANDLES,
        effect="a handle opens files of the host",
        caution="user-space file servers stop working",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-io-uring",
            summary="the profile allows io_uring",
            severity=Severity.WARNING,
            since="0.1.0",
            why="io_uring does what other calls do, past the filter, and has had dozens of kernel bugs",
        ),
        calls=IO_URING,
        effect="rings reach the kernel past this filter",
        caution="programs fall back to epoll, some slower",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-keyctl",
            summary="the profile allows the kernel keyring",
            severity=Severity.WARNING,
            since="0.1.0",
            why="the keyring is not separated by container: keys of the host may be read and used",
        ),
        calls=KEYRING,
        effect="the keyring is shared with the host",
        caution="Kerberos and e4crypt keep no keys in the kernel",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-module-kexec-reboot",
            summary="the profile allows calls that change the running kernel",
            severity=Severity.ERROR,
            since="0.1.0",
            why="one capability too many is then all it takes to load code into the kernel",
        ),
        calls=KERNEL,
        effect="these act on the whole machine",
        caution="nothing that a development container does",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-mount",
            summary="the profile lets everybody mount",
            severity=Severity.ERROR,
            since="0.1.0",
            why="mounting is the first step of most escapes, and undoes what is mounted read-only",
        ),
        calls=MOUNT,
        effect="everybody may mount, which in a user namespace needs no right of the host",
        caution="mounting inside stops working",
    ),
    Calls(
        RuleMeta(
            id="seccomp-allows-ptrace-vm",
            summary="the profile allows tracing without asking for a new kernel",
            severity=Severity.HINT,
            since="0.1.0",
            why="before Linux 4.8 a tracer gets past the filter",
        ),
        calls=("ptrace", "process_vm_readv", "process_vm_writev"),
        effect="allowed before Linux 4.8 as well, where it voids the filter",
        caution="gdb, strace and delve stop working",
        context=Context(kernel=(4, 7)),
    ),
)

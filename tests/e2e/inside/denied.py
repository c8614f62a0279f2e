"""One call of each group that a profile refuses; prints errno of each as one line of JSON.

The arguments are such that the kernel itself would answer something else than a filter does: what
it checks first is a bad pointer, descriptor or flag, not a right.
"""

import ctypes
import json
import os
import platform
import sys

# x86_64 has numbers of its own; the others that Docker runs on share one list for these.
NUMBERS = {
    "x86_64": {
        "mount": 165, "mount_setattr": 442, "open_tree": 428, "unshare": 272, "setns": 308,
        "keyctl": 250, "add_key": 248, "clone": 56, "clone3": 435, "ptrace": 101,
        "process_vm_readv": 310, "kcmp": 312, "pidfd_getfd": 438, "process_madvise": 440,
        "socket": 41, "io_uring_setup": 425, "perf_event_open": 298, "userfaultfd": 323,
    },
    "aarch64": {
        "mount": 40, "mount_setattr": 442, "open_tree": 428, "unshare": 97, "setns": 268,
        "keyctl": 219, "add_key": 217, "clone": 220, "clone3": 435, "ptrace": 117,
        "process_vm_readv": 270, "kcmp": 272, "pidfd_getfd": 438, "process_madvise": 440,
        "socket": 198, "io_uring_setup": 425, "perf_event_open": 241, "userfaultfd": 282,
    },
}  # fmt: skip
BAD = 1  # no pointer
CALLS = {
    "mount": ("mount", BAD, BAD, BAD, 0, 0),
    "mount-new-api": ("mount_setattr", -1, BAD, 0xFFFFFFFF, BAD, 0),
    "open-tree": ("open_tree", -1, BAD, 0x7FFFFFFF),
    "unshare": ("unshare", 0x1),
    "setns": ("setns", -1, 0),
    "clone-new-user": ("clone", 0x10000000 | 0x200, 0, 0, 0, 0),  # with CLONE_FS: never valid
    "clone3": ("clone3", 0, 0),
    "keyctl": ("keyctl", 999, 0, 0, 0, 0),
    "add-key": ("add_key", BAD, BAD, BAD, 1, 0),
    "ptrace": ("ptrace", 16, 0x3FFFFFFF, 0, 0),
    "process-vm": ("process_vm_readv", 0x3FFFFFFF, 0, 0, 0, 0, 1),
    "kcmp": ("kcmp", 0x3FFFFFFF, 0x3FFFFFFF, 99, 0, 0),
    "pidfd-getfd": ("pidfd_getfd", -1, 0, 0),
    "process-madvise": ("process_madvise", -1, 0, 0, 0, 1),
    "socket-alg": ("socket", 38, 5, 0),
    "socket-vsock": ("socket", 40, 99, 0),
    "io-uring": ("io_uring_setup", 0, 0),
    "perf": ("perf_event_open", 0, 0, 0, 0, 0),
    "userfaultfd": ("userfaultfd", 0x7FFFFFFF),
}


def main() -> None:
    numbers = NUMBERS[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    outcomes = {}
    for name in sys.argv[1:] or CALLS:
        call, *arguments = CALLS[name]
        words = [ctypes.c_long(int(value)) for value in arguments]
        result = libc.syscall(ctypes.c_long(numbers[str(call)]), *words)
        outcomes[name] = 0 if result >= 0 else ctypes.get_errno()
        if call == "clone" and result == 0:
            os._exit(0)
    print(json.dumps(outcomes))


main()

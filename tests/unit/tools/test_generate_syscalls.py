"""The table of system calls from libseccomp's own."""

from __future__ import annotations

import pytest

from sandboxd.model import syscalls
from tools import generate_syscalls

TABLE = """#syscall (v6.16.0 2025-08-26),x86,x86_kver,x86_64,x86_64_kver
read,3,SCMP_KV_3_0,0,SCMP_KV_3_0
listns,470,SCMP_KV_6_19,470,SCMP_KV_6_19
clone3,435,SCMP_KV_5_3,435,SCMP_KV_5_3
atomic_barrier,PNR,SCMP_KV_UNDEF,PNR,SCMP_KV_UNDEF
"""


def test_names_of_all_architectures_and_the_numbers_of_the_newest() -> None:
    namespace: dict[str, object] = {}
    exec(generate_syscalls.module(TABLE), namespace)
    assert namespace["NAMES"] == "\natomic_barrier clone3 listns read\n"
    assert list(namespace["NEWEST"].items()) == [("clone3", 435), ("listns", 470)]  # type: ignore[attr-defined]
    assert (namespace["KERNEL"], namespace["DATE"]) == ("6.16.0", "2025-08-26")


def test_a_table_that_does_not_say_what_it_is_of_is_refused() -> None:
    with pytest.raises(SystemExit):
        generate_syscalls.module("#syscall,x86_64\nread,0\n")


def test_what_is_shipped_holds_every_number_and_some_hundred_names() -> None:
    assert syscalls.NEWEST.keys() < syscalls.syscall_names()
    assert len(syscalls.syscall_names()) > 500 and "riscv_hwprobe" in syscalls.syscall_names()

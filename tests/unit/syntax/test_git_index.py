"""The index of a git directory that a sandbox writes: to read one costs no more than its size allows."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.exchange import index_file
from sandboxd.syntax import git_index

GITLINK = 0o160000
_STATUS_BYTES = 24


def entry_v4(name: bytes) -> bytes:
    """An entry of version 4 whose name is the whole one before it and `name`."""
    status = bytes(_STATUS_BYTES) + struct.pack(">I", GITLINK) + bytes(12)
    return status + b"x" * 20 + struct.pack(">H", 0) + b"\0" + name + b"\0"


def index_v4(first: bytes, further: int, name: bytes = b"") -> bytes:
    """An index with the name `first`, and as many further ones that each add `name` to the one before."""
    head = struct.pack(">4sII", b"DIRC", 4, 1 + further)
    return head + entry_v4(first) + entry_v4(name) * further + bytes(20)


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from sandboxd.exchange import index_file
from sandboxd.syntax import git_index
read = {"what is staged": index_file.digest_of, "repositories": git_index.gitlinks, "shared": git_index.shared_index}
with open(sys.argv[1], "rb") as file:
    data = file.read()
try:
    read[sys.argv[2]](data, False)
except ValueError as error:
    print("refused:", type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit the memory of a process")
@pytest.mark.parametrize("what", ["what is staged", "repositories", "shared"])
@pytest.mark.parametrize("name", [b"", b"n"], ids=["the same name", "names that grow"])
def test_a_small_file_that_says_a_terabyte_of_names_is_refused_early(
    tmp_path: Path, what: str, name: bytes
) -> None:
    """14 MiB: a name of 8 MiB, and 100,000 that begin with the whole of it; to copy them takes minutes of a processor."""
    path = tmp_path / "index"
    path.write_bytes(index_v4(b"n" * (8 << 20), 100_000, name))
    words = [sys.executable, "-c", READ, str(path), what]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "refused"), done.stderr


def test_names_of_a_deep_tree_are_read_whatever_they_share() -> None:
    """A thousand files of a folder whose path is as long as Linux allows."""
    data = index_v4(b"n" * 4095, 1000)
    assert len(data) < 100_000
    assert len(index_file.digest_of(data, False)[0]) == 64
    assert git_index.gitlinks(data, False) == ("n" * 4095,)


def test_the_names_that_are_read_are_in_proportion_to_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(git_index, "_FEW_NAMES", 0)
    # An entry takes 64 bytes besides its name.
    assert git_index.gitlinks(index_v4(b"n" * 200, 1000), False)
    with pytest.raises(ValueError):
        git_index.gitlinks(index_v4(b"n" * 300, 1000), False)
    # In the other versions each name stands in the file as a whole.
    long = b"n" * 9000
    status = bytes(_STATUS_BYTES) + struct.pack(">I", GITLINK) + bytes(12) + b"x" * 20
    entry = status + struct.pack(">H", 0x0FFF) + long
    entry += bytes(8 - len(entry) % 8)
    data = struct.pack(">4sII", b"DIRC", 2, 1) + entry + bytes(20)
    assert git_index.gitlinks(data, False) == (long.decode(),)

"""The image that is made for a proof has what a whole sandbox needs."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from sandboxd.life import throwaway_image


def test_folders_users_and_programs_of_the_image(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_text("#!/bin/sh\necho busybox\necho sh\necho sleep\n")
    busybox.chmod(0o755)
    with tarfile.open(fileobj=io.BytesIO(throwaway_image._archive(str(busybox)))) as archive:
        entries = {entry.name: entry for entry in archive}
        users = archive.extractfile("etc/passwd")
        assert users is not None and b"dev:x:1000:1000:" in users.read()
    # The mount points that a runtime needs where the root is read-only, and those that programs expect.
    for folder in (
        "bin",
        "etc",
        "root",
        "proc",
        "sys",
        "dev",
        "run",
        "var",
        "tmp",
        "home",
        "home/dev",
    ):
        assert entries[folder].isdir(), folder
    assert entries["tmp"].mode == 0o1777
    assert entries["home/dev"].uid == 1000
    assert {name: entries[f"bin/{name}"].linkname for name in ("sh", "sleep")} == {
        "sh": "busybox",
        "sleep": "busybox",
    }

"""Kernel memory that can be opened: what is read decides, and nothing stays open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.inside.escapes import kernel_memory


@pytest.mark.parametrize(("content", "is_open"), [(b"", False), (b"\x7fELF", True)])
def test_a_masked_file_opens_and_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, is_open: bool
) -> None:
    (tmp_path / "kcore").write_bytes(content)
    opened: list[int] = []
    real = os.open

    def open_instead(_path: str, flags: int) -> int:
        opened.append(real(tmp_path / "kcore", flags))
        return opened[-1]

    monkeypatch.setattr(os, "open", open_instead)
    if is_open:
        assert kernel_memory.attempt({}) == {"detail": "/proc/kcore can be read"}
    else:
        with pytest.raises(OSError, match="empty"):
            kernel_memory.attempt({})
    monkeypatch.undo()
    for descriptor in opened:
        with pytest.raises(OSError):
            os.fstat(descriptor)

"""What the C library is told about memory, where it is one that can be told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sandboxd.daemon import memory


def test_one_heap_for_all_threads_and_free_memory_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[str, tuple[int, ...]]] = []
    library = SimpleNamespace(
        mallopt=lambda *words: calls.append(("mallopt", words)),
        malloc_trim=lambda *words: calls.append(("malloc_trim", words)),
    )
    monkeypatch.setattr(memory, "_LIBC", library)
    memory.keep_together()
    memory.give_back()
    # M_ARENA_MAX of malloc.h.
    assert calls == [("mallopt", (-8, 1)), ("malloc_trim", (0,))]


def test_without_that_library_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_LIBC", None)
    memory.keep_together()
    memory.give_back()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_no_library_is_opened_on_other_systems(
    monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    def open_library(_: object) -> None:
        raise TypeError("Windows has no library of its own name")

    monkeypatch.setattr(memory.ctypes, "CDLL", open_library)
    monkeypatch.setattr(memory.sys, "platform", system)
    assert memory._libc() is None

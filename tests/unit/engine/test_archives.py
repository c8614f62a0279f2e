"""Archives as they are sent to an engine."""

from __future__ import annotations

import io
import tarfile

import pytest

from sandboxd.engine.volumes import without_padding


def archive(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for number, content in enumerate(contents):
            entry = tarfile.TarInfo(f"{number}-" + "long" * 40)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "contents", [(), (b"",), (b"text",), (b"a", bytes(4096)), (bytes(512 * 40), b"x" * 511)]
)
def test_nothing_is_sent_behind_the_end_marker(contents: tuple[bytes, ...]) -> None:
    """Podman goes away there. Content that is all zeros is none of it."""
    padded = archive(*contents)
    sent = without_padding(padded)
    assert padded.startswith(sent) and not padded[len(sent) :].strip(b"\0")
    with tarfile.open(fileobj=io.BytesIO(sent)) as tar:
        read = [tar.extractfile(each) for each in tar.getmembers()]
        assert [file.read() for file in read if file] == list(contents)
        assert len(sent) == tar.offset + 1024

"""Recognises pictures, fonts, audio and video, whose bytes nobody reads in a review."""

from __future__ import annotations

import posixpath

_STARTS: dict[str, tuple[bytes, ...]] = {
    ".avif": (b"\0\0\0",),
    ".bmp": (b"BM",),
    ".flac": (b"fLaC",),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".ico": (b"\0\0\1\0",),
    ".icns": (b"icns",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".jpg": (b"\xff\xd8\xff",),
    ".mp3": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    ".mp4": (b"\0\0\0",),
    ".ogg": (b"OggS",),
    ".otf": (b"OTTO", b"\0\1\0\0"),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".tif": (b"II*\0", b"MM\0*"),
    ".tiff": (b"II*\0", b"MM\0*"),
    ".ttf": (b"\0\1\0\0", b"true", b"ttcf"),
    ".wav": (b"RIFF",),
    ".webm": (b"\x1aE\xdf\xa3",),
    ".webp": (b"RIFF",),
    ".woff": (b"wOFF",),
    ".woff2": (b"wOF2",),
}
"""The first bytes of such files, by file name extension, as the formats define them."""


def is_media(path: str, data: bytes) -> bool:
    """Whether extension and first bytes are those of a picture, a font, audio or video."""
    return data.startswith(_STARTS.get(posixpath.splitext(path)[1].lower(), ()))

"""Writes sandboxd's own TOML files. Files with a user's comments are edited instead, see `syntax`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def document(content: Mapping[str, Any], comment: str) -> bytes:
    """The bytes of a whole file.

    :param comment: the text of its first lines, without `#`
    :raises UsageError: a string in it, such as a path, is not UTF-8, which TOML cannot represent
    """
    import tomli_w

    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return _encode(f"{head}\n{tomli_w.dumps(content)}")


def value(content: Any) -> str:
    """The TOML text of a string, number, truth value or list of those.

    :raises UsageError: a string in it is not UTF-8
    """
    import tomli_w

    text = tomli_w.dumps({"x": content}).removeprefix("x = ").rstrip("\n")
    _encode(text)
    return text


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        bad = ascii(text[error.start : error.end])
        raise UsageError(
            f"a name holds bytes that are not UTF-8, `{bad}`, and cannot be written down",
            "rename the file or folder",
        ) from None

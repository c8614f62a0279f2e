"""Renames in an open folder without overwriting: to a free name, and of two entries with each other.

Sent into the sandbox as it is: standard library only, for Python 3.8.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys

_NOREPLACE = 1
_EXCHANGE = 2
_NOT_HERE = frozenset((errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM))
"""The errors of a system or file system without such a rename."""


def rename_free(folder: int, name: str, new: str, new_folder: int | None = None) -> None:
    """Rename `name` to `new`, which must not exist.

    :param new_folder: the open folder of `new`; None: the same folder
    :raises FileExistsError: `new` exists
    :raises OSError: it cannot be renamed
    """
    target = folder if new_folder is None else new_folder
    code = _renameat2(folder, name, target, new, _NOREPLACE)
    if code in _NOT_HERE:
        # A link never takes the place of anything either, but a folder has no second name.
        os.link(name, new, src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False)
        os.unlink(name, dir_fd=folder)
    elif code:
        raise OSError(code, os.strerror(code), new)


def swap(folder: int, name: str, other: str) -> bool:
    """Exchange the names of two entries atomically; return False if this system cannot.

    :raises OSError: one of them does not exist
    """
    code = _renameat2(folder, name, folder, other, _EXCHANGE)
    if code and code not in _NOT_HERE:
        raise OSError(code, os.strerror(code), other)
    return not code


def _renameat2(folder: int, name: str, new_folder: int, new: str, flags: int) -> int:
    """The number of the error, 0 where it was done."""
    call = _function()
    if call is None:
        return errno.ENOSYS
    names = (os.fsencode(name), os.fsencode(new))
    if call(folder, names[0], new_folder, names[1], flags):
        return ctypes.get_errno()
    return 0


@functools.cache
def _function() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return None
    function.argtypes = (
        ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint,
    )  # fmt: skip
    function.restype = ctypes.c_int
    return function

"""Finds a thread of a process that is in the network namespace in which the process itself works."""

from __future__ import annotations

import collections
import contextlib
import os


def of_process(pid: int, root: str = "/proc") -> int:
    """The id of a thread in the network namespace that most threads of a process are in; `pid` where nothing is seen.

    It can be used wherever /proc takes the id of a process. The first thread of Podman's service, which /proc shows for
    the process, may have stayed in the namespace of a container that it made.

    :param root: the path of /proc
    """
    threads: dict[str, int] = {}
    places: collections.Counter[str] = collections.Counter()
    with contextlib.suppress(OSError):
        # The process itself first. Its id need not be the lowest: ids start anew once the kernel's highest was given.
        for thread in sorted(
            map(int, os.listdir(f"{root}/{pid}/task")), key=lambda thread: (thread != pid, thread)
        ):
            with contextlib.suppress(OSError):
                place = os.readlink(f"{root}/{pid}/task/{thread}/ns/net")
                places[place] += 1
                threads.setdefault(place, thread)
    return threads[places.most_common(1)[0][0]] if places else pid

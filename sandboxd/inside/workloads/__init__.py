"""One file for each workload. They run inside, on the standard library alone.

Each has ``TITLE``, ``UNIT`` (what is counted once), ``prepare(folder)`` and ``once(folder)``. The
folder is theirs, in the workspace where it can be written.
"""

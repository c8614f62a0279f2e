"""Halts a sandbox when the host replaces a file or folder that is mounted into it: the kernel then removes the mount.

A halt stops all processes inside, since a path that was read-only inside may be writable from then on.
"""

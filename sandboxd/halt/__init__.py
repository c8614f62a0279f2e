"""Halts a sandbox when the host replaces what is shut inside: the kernel then takes the mount away."""

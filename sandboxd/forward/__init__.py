"""Ports of a sandbox on this machine, through the engine: no network of the sandbox is used or needed."""

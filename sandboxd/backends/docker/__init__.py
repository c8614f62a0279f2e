"""Sandboxes as containers of an engine with Docker's API: Docker or Podman, on this machine or another.

`backend` is what operations ask; `attack` tries to escape from a container.
"""

"""Measures what a sandbox costs on this machine for this project: the same work in several sandboxes."""

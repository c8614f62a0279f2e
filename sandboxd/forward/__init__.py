"""Forwards ports of a sandbox to this machine through the engine, without using the sandbox's network."""

"""The container engine's HTTP API: where it is and how to speak to it, for every room.

What an absent or refusing engine means, in words, is said by the rooms that ask: the probe
(`host.engine_facts.FAILURES`) describes a machine, `sandbox.failures` ends a command.
"""

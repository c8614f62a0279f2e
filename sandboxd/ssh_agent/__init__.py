"""Logins by SSH from a sandbox with keys of the user's own agent, which stay there.

A program inside reaches a filter of ours in place of the agent. It lists the chosen keys and signs
logins to the bound hosts; whatever else an agent can do is refused.
"""

"""SSH logins from a sandbox with keys of the user's own agent, which never leave the agent.

A program inside reaches a filter of ours in place of the agent. It lists the chosen keys and signs logins to
the bound hosts; every other request is refused."""

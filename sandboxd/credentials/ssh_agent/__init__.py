"""SSH logins from a sandbox with keys of the user's own SSH agent; the keys never leave the agent.

Programs inside connect to a filter instead of the agent. It lists the chosen keys, signs logins to the bound hosts, and
refuses every other request.
"""

"""The network by name: the pure policy core, and the gateway that lets a sandbox reach those names.

`names`, `addresses`, `policy`, `broker`, `layout`, `messages` and the wire forms need the standard
library only: the gateway's program takes them along into its container, so that host and gateway decide
by the same lines.
"""

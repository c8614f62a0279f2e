"""The price of a sandbox on this machine, for this project: the same work, side by side."""

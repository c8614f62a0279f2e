"""What a sandbox costs on this machine, for this project: the same work, side by side."""

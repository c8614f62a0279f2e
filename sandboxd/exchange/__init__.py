"""The git directory that a sandbox has of its own, and what passes between it and the host's repository."""

"""Observes a running container: by `inspect`, from inside, and from the host; and compares it with its plan."""

"""AI agents as data, and the sessions in which they work on a project."""

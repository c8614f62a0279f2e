"""Finds which control of a sandbox blocked a command that failed inside."""

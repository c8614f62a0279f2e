"""The record: who started, allowed, weakened and brought what, as a chain of entries in the user's state."""

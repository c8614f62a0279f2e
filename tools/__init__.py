"""Helpers for developing and showing sandboxd; nothing here is shipped."""

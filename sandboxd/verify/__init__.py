"""Attacks on a running sandbox, and the verdict on what they reached."""

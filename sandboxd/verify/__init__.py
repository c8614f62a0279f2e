"""Runs escape attempts on a sandbox, and judges what they achieved."""

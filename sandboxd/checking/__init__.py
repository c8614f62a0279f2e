"""The one door to findings: `check`, editors and `status` ask it, and so they say the same of a file."""

"""The one way to findings: `check`, editors and `status` use it, so that they report the same for a file."""

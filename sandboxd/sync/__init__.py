"""Keeps a copy of the workspace identical to the host's, file by file and by a policy. The side inside is hostile."""

"""A copy of the workspace that is kept the same as the host's, file by file, by a policy; what is inside is hostile."""

"""Reports findings; `check`, editors and `status` all use this room, so that they report the same for a file."""

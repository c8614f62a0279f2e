"""Merges all settings of one container, from every file and image that has some, into one description of it."""

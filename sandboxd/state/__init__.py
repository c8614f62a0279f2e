"""Stores what sandboxd remembers of a project between its commands: one module for each kind of record.

The records are private files below the user's state folder, by workspace or by sandbox. There, too, are the files that are
mounted into sandboxes.
"""

"""Screens of commands: one module each, text for a person at a terminal."""

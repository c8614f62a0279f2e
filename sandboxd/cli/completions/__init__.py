"""Completion scripts: one module for each shell, with `script(commands)`.

They are static: nothing of sandboxd runs when a key is pressed. They ask nothing of a shell's own
library of completions, which is not everywhere.
"""

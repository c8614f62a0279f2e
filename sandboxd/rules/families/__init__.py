"""Rules that differ in a few words and values: a module for each family, whose `ROWS` are its rules.

A row has `META` and `check(subject, host)`, as the module of any other rule; `sandboxd/rules/pages/ID.md` is
its page. One more rule of a family is one row and its page.
"""

"""Where sandboxes run: the Protocol that operations are written against, and what implements it."""

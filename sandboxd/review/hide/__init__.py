"""Which files of a workspace stay out of its sandbox, whatever the layout: one decision, and one reader of the host."""

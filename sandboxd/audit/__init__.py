"""The audit record: who started, allowed or weakened what, as a hash chain of entries in the user's state folder."""

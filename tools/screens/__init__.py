"""The states that `sandboxd status` is shown in, and the page with all of their screens."""

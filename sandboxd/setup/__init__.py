"""Changes this machine, one reversible step at a time: see `runner`."""

"""`./dev demo`: the whole product on a sample project, every command line shown."""

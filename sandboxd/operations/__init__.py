"""The workspace at work: one file and one function for each thing that can be done with a sandbox.

Plain arguments go in, a typed result comes out; nothing is printed. The command line, the language
server and the daemon call the same function, so that all of them do the same.
"""

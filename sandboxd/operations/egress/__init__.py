"""What people do about names: one file and one function for each command of `sandboxd egress`.

Each works without a sandbox. Where a gateway runs, an answer is in force there once the function
returns; a gateway is looked for after the answer is kept, so that a start in between takes it along.
"""

"""The program of a gateway container: between the inner network of a sandbox and the way out.

`main` sets up with privileges and gives them up; `server` puts the parts together. Pure, and tested
without a network: `dns`, `client_hello`, `http_head`, `socks_format`, `address_book`, `gate`.
The standard library, h11 and the pure modules of `sandboxd.egress` are all that it imports.
"""

"""Escape attempts: one file each, run inside a sandbox by `sandboxd verify`, judged outside.

An attempt is a module of the standard library for Python 3.8 and later, with

- a docstring: what the attack is, and where it is known from,
- `TITLE`: what is tried, in a few words,
- `JUDGE`: how its effect is recognised. Never by an error number: under gVisor many calls succeed
  harmlessly, and a call can fail after it did its harm.

  - ``token``: a secret came back that only the host has,
  - ``kernel``: it succeeded, and the kernel was the host's (`boot_id`),
  - ``namespace``: it succeeded in the namespace named by `NAMESPACE`, and that was the host's,
  - ``surface``: it succeeded on the host's kernel, and the profile does not declare it as open,
  - ``workspace``: the host looked, and a file was changed or reached that must not be,
  - ``arrival``: the host, or the gateway's own record, shows that it arrived outside; the profile may
    declare it,
  - ``open``: it succeeded, which counts under every kernel: a network, a limit that is not there,
    a secret in the environment; the profile may declare it,

- `EXPECTED`: by runtime (``runc``, ``runsc``), what stops it,
- optionally `DECLARED`: by profile (``*`` for every one, ``nested_sandbox`` where that is granted), why it is
  left open on purpose,
- optionally `CONTROLS`: the controls (`plan.reasons.Downgrade`) whose loss leaves it open, where `up` has named one of
  them,
- optionally `REMEDY`: why it escapes where it does, and what the user changes then,
- optionally `GROUP`: `_network.EGRESS` for a way out by the network, which no profile declares open for
  a sandbox behind a gateway,
- optionally `WAITS`: it only waits for the network, and may do so beside others,
- optionally `LIVE`: it looks for what others put into the sandbox in use, and is made there, too,
- optionally `CLUSTER`: ``judged`` where it can be judged in a Pod from inside alone, ``only`` where it is about
  what a cluster alone has, else why it cannot be judged there; by its judge where it says nothing (`verify.attempts`),
- optionally `LAST`: it starts a program of the image, so nothing is reported after it,
- `attempt(facts)`: does it. Returning means that it went through, with the keys `detail`, `token`
  (what was read) or `reached` (paths inside) as evidence; an `OSError` means that it was stopped;
  `NotApplicable` says that there is nothing to try.

An attempt opens and closes, or acts only on what `verify` or itself has made. `_*.py` are helpers.
"""

"""The premises of a plan about a build of gVisor: one file each, tried on this host, never assumed.

Facts about gVisor are facts about a build. `host.premises` tries all of these in one throw-away container
of each registered gVisor runtime, and the plan uses what was seen to hold. A premise is a module of the
standard library for Python 3.8 and later, with

- a docstring: the attack, what follows where it is held, and the builds that it is known from,
- `TITLE`: what holds, in a few words,
- `PLAN`: what the plan does where it holds, and where it does not,
- `attempt(facts)`: makes the attack inside, by the runner of `sandboxd.inside.escapes`, as an attempt there does,
- `judge(inside, outside)`: whether it holds, and what was seen, in words. `inside` is what the runner
  reports of the attempt, `outside` what the host saw, as `host.premises.judge` says.

Where the host can see the effect, the report from inside does not count. What was not tried does not hold.
"""

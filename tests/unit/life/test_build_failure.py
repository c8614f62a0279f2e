"""Where a build failed: the step and its last lines, in the words of each builder."""

from __future__ import annotations

from sandboxd.life.build_failure import read

OLD = """Sending build context to Docker daemon  4.096kB\r\r
Step 1/3 : FROM busybox
 ---> 65ad0d468eb1
Step 2/3 : RUN echo fine
 ---> Running in 1c0f
fine
Removing intermediate container 1c0f
 ---> 77a1
Step 3/3 : RUN make all
 ---> Running in 2d0f
\x1b[91mmake: *** No rule to make target 'all'.  Stop.
\x1b[0mThe command '/bin/sh -c make all' returned a non-zero code: 2
"""

BUILDKIT = """#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 98B done
#1 DONE 0.0s

#5 [2/3] RUN echo fine
#5 0.211 fine
#5 DONE 0.3s

#6 [dev 3/3] RUN make all
#6 0.187 make: *** No rule to make target 'all'.  Stop.
#6 ERROR: process "/bin/sh -c make all" did not complete successfully: exit code: 2
------
 > [dev 3/3] RUN make all:
0.187 make: *** No rule to make target 'all'.  Stop.
------
ERROR: failed to solve: process "/bin/sh -c make all" did not complete successfully: exit code: 2
"""

FEATURE = """[2 ms] @devcontainers/cli 0.89.0. Node.js v20.
[310 ms] Start: Run: docker buildx build --load
#9 [dev_containers_target_stage 4/4] RUN --mount=type=bind,from=x chmod -R 0755 /tmp/x && ./install.sh
#9 0.401 ===========
#9 0.402 no package of this name
#9 0.410 ERROR: Feature "Hello" (./hello) failed to install! Look at the documentation at  for help
#9 ERROR: process "/bin/sh -c chmod" did not complete successfully: exit code: 1
{"outcome":"error","message":"Command failed","description":"An error occurred building the container."}
"""


def test_the_engines_old_builder() -> None:
    failed = read(OLD.encode(), "/builds/x")
    assert failed.step == "`RUN make all` (3/3)"
    assert failed.lines == ("make: *** No rule to make target 'all'.  Stop.",)


def test_buildkit() -> None:
    failed = read(BUILDKIT.encode(), "/builds/x")
    assert failed.step == "`RUN make all` (dev 3/3)"
    assert failed.lines == (
        "make: *** No rule to make target 'all'.  Stop.",
        'ERROR: process "/bin/sh -c make all" did not complete successfully: exit code: 2',
    )


def test_a_feature_is_named_as_the_config_has_it() -> None:
    failed = read(FEATURE.encode(), "/builds/x")
    assert failed.step == "the installation of the Feature `./hello`"
    assert "no package of this name" in failed.lines


def test_a_feature_of_a_local_folder_with_the_old_builder() -> None:
    text = """[2026-11-29T18:31:52.070Z] Step 18/21 : RUN ./devcontainer-features-install.sh
[2026-11-29T18:31:52.320Z]  ---> Running in 2f43e53cc89e
[2026-11-29T18:31:52.727Z] there is no such package
[2026-11-29T18:31:52.727Z] ERROR: Feature "Hello" (Unknown) failed to install!
[2026-11-29T18:31:52.845Z] The command '/bin/sh -c ./x' returned a non-zero code: 7
Error: Command failed: docker build
    at IW (devContainersSpecCLI.js:470:2009)
npm notice New minor version of npm available!
"""
    failed = read(text.encode(), "/builds/x")
    assert failed.step == "the installation of the Feature `Hello`"
    assert failed.lines == (
        "there is no such package",
        'ERROR: Feature "Hello" (Unknown) failed to install!',
    )


def test_words_of_another_tool_are_shown_as_they_are() -> None:
    text = "\n".join(f"line {number}" for number in range(40)) + "\n10%\r20%\nin /builds/x/y\n"
    failed = read(text.encode() + b"\xff\n", "/builds/x")
    assert failed.step == "" and len(failed.lines) == 12
    assert failed.lines[-3:] == ("20%", "in /y", "\ufffd")


def test_a_step_that_writes_much_is_cut() -> None:
    failed = read(b"Step 1/1 : RUN x\n" + b"y" * 9000, "/b")
    assert failed.lines == ("y" * 300,)

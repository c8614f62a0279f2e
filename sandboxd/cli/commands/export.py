"""Write the project's plan as objects for another system, to standard output: a Pod for Kubernetes.

The Pod passes Pod Security `restricted`. NetworkPolicies close it, and a gateway beside it lets the names
through that the plan allows. No cluster is asked, and nothing is started: what of the plan will not be in
force there, or was not looked at, is named on standard error and in the output.
"""

from __future__ import annotations

import argparse
import os
import sys

from sandboxd import terminal
from sandboxd.cli import arguments
from sandboxd.cli.commands import _grants
from sandboxd.errors import EXIT_OK, EnvironmentFailure, UsageError
from sandboxd.operations.on_cluster.options import ClusterOptions

HELP = "the plan as objects for Kubernetes"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("form", choices=["kubernetes"], help="the system that the objects are for")
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument(
        "--namespace",
        default="",
        metavar="NAME",
        help="of the objects (default: the one that kubectl uses)",
    )
    parser.add_argument(
        "--name",
        default="",
        metavar="NAME",
        help="one of several sandboxes of the project, each with objects of its own",
    )
    arguments.add(parser, ClusterOptions, "image", "runtime_class")
    parser.add_argument(
        "--gateway-image", default="", metavar="IMAGE",
        help=ClusterOptions.own_arguments["gateway_image"].help,
    )  # fmt: skip
    arguments.add(parser, ClusterOptions, "seccomp_profile")
    parser.add_argument(
        "--gateway-address", default="", metavar="ADDRESS",
        help="a free address of the cluster's range for Services",
    )  # fmt: skip
    parser.add_argument(
        "--seccomp-files", default="", metavar="FOLDER",
        help="write the profile's filter there as well, for each architecture, in the form of a kubelet",
    )  # fmt: skip
    parser.add_argument(
        "--cpus", default="2", metavar="NUMBER", help="the most processors (default: 2)"
    )
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="write a Sandbox (agents.x-k8s.io/v1beta1) and no Pod",
    )
    _grants.configure(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.engine.payload import gateway_zip, programs
    from sandboxd.login import login_name
    from sandboxd.model.sandbox_id import check_name
    from sandboxd.plan import cluster
    from sandboxd.plan.writers import kubernetes
    from sandboxd.project import Project

    options = cluster.Cluster(
        image=args.image,
        namespace=args.namespace,
        runtime_class=args.runtime_class,
        seccomp_profile=args.seccomp_profile,
        gateway_image=args.gateway_image,
        gateway_address=args.gateway_address,
        cpus=args.cpus,
        user=login_name(),
        for_controller=args.sandbox,
        repository=cluster.repository_elsewhere(os.path.realpath(args.path)),
        trial=programs.source_of("network_trial"),
    )
    project = Project.open(args.path, os.environ, check_name(args.name)).with_image(args.image)
    try:
        plan = project.plan(cluster.facts(options), _grants.grants(args))
    except EnvironmentFailure:
        if options.runtime_class:
            raise
        raise cluster.without_class(project.profile.name) from None
    program = gateway_zip.archive() if plan.egress is not None else b""
    text = kubernetes.render(plan, options, program)
    if args.seccomp_files:
        _write_filters(plan.seccomp_path, plan.profile, args.seccomp_files)
    sys.stdout.write(text)
    for downgrade in cluster.downgrades(plan, options):
        terminal.entry("not in force", f"{downgrade.control}: {downgrade.why}")
        if downgrade.fix:
            terminal.entry("  hint:", downgrade.fix)
    return EXIT_OK


def _write_filters(path: str, profile: str, folder: str) -> None:
    from sandboxd.files import write_atomic
    from sandboxd.plan.writers import oci_seccomp

    if not path:
        raise UsageError(
            f"profile `{profile}` has no filter of its own", "leave `--seccomp-files` out"
        )
    name = os.path.basename(path)
    for architecture in oci_seccomp.ARCHITECTURES:
        file = os.path.join(folder, architecture, name)
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot make the folder `{os.path.dirname(file)}`: {(error.strerror or '').lower()}",
                "name another: `--seccomp-files FOLDER`",
            ) from None
        write_atomic(file, oci_seccomp.render(path, architecture).encode())
        terminal.entry("wrote", file)
    terminal.entry(
        "  hint:",
        f"copy them to `/var/lib/kubelet/seccomp/sandboxd` of the nodes of each architecture, then name "
        f"it: `--seccomp-profile sandboxd/{name}`",
    )

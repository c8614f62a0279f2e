"""The keys of `sandboxd.toml` and their meaning: one table for reader, schema, editors and reference."""

from __future__ import annotations

import functools

from sandboxd.config import keys_of_limits
from sandboxd.config.key import DATE, TEXTS, Key, Table
from sandboxd.config.keys_of_files import FOLDERS, HIDE, OTHERS, SHOW
from sandboxd.config.values import (
    FEATURE,
    FOLDER_INSIDE,
    GPU,
    HOST,
    LAYOUTS,
    LEVELS,
    MODES_WITHOUT_NAMES,
    NAMED_HOST,
    NESTED_SANDBOXES,
    NETWORK_MODES,
    PORT,
    RUNTIMES,
    VOLUME_NAME,
    profile_names,
)
from sandboxd.credentials import name, services
from sandboxd.egress import groups
from sandboxd.model.capabilities import CAPABILITIES


def tables(rules: tuple[str, ...] = ()) -> tuple[Table, ...]:
    """All tables in the order of the reference.

    :param rules: ids of the rules that may be named; () for any
    """
    return (
        Table("", "What the project asks for", _top()),
        Table("capabilities", "Capabilities beyond those of the profile", (_capabilities(),)),
        Table("devices", "Devices of the host", (_gpus(),)),
        Table(
            "network",
            "What the sandbox reaches, and what of it this machine reaches",
            (_mode(), _names_allowed(), _private(), _forward()),
        ),
        Table("credentials", "Secrets that tools inside work with and never have", _credentials()),
        Table(
            "workspace",
            "Where the work is done",
            (_LAYOUT, _SYNC, HIDE, SHOW, FOLDERS, _hot(), _shared_volumes()),
        ),
        Table("limits", "How much of the machine the sandbox may use", keys_of_limits.KEYS),
        Table("where", "The cluster that the sandbox runs on", (_kubernetes(),)),
        Table("environment", "Environment variables inside", (_variable(),)),
        Table("check", "What `sandboxd check` counts", (OTHERS,)),
        Table(
            "allow",
            "Findings of `sandboxd check` that the project accepts",
            _allow(rules),
            repeated=True,
        ),
        Table("rules", "How much the findings of a rule weigh in this project", (_level(rules),)),
    )


@functools.cache
def names_by_table() -> dict[str, tuple[str, ...]]:
    """The keys that each table may have, by the table's name, '' for the top level; () for any."""
    described = tables()
    names = {
        table.name: () if table.is_open else tuple(key.name for key in table.keys)
        for table in described
    }
    names[""] += tuple(table.name for table in described if table.name)
    return names


def _top() -> tuple[Key, ...]:
    return (
        Key(
            "profile",
            "How strict the sandbox is: a named profile",
            '"dev"',
            default="`dev`",
            literal="dev",
            choices=profile_names(),
            limits="`trusted` and `seed-baseline` take controls away, so they count only after "
            "`sandboxd trust add`. "
            "A policy can leave out profiles.",
        ),
        Key(
            "runtime",
            "What runs the sandbox: gVisor, hardened runc, or the best that this host has",
            '"auto"',
            default="`auto`: gVisor where it works, else hardened runc, and why",
            literal="auto",
            choices=RUNTIMES,
            limits="A profile that needs gVisor refuses `runc`, unless `--allow-runc` is given "
            "where the policy lets it. Where gVisor works, `runc` takes it away, so it counts only after "
            "`sandboxd trust add`. A policy can demand gVisor.",
        ),
        Key(
            "image",
            "The image to run, best with its digest",
            '"mcr.microsoft.com/devcontainers/base:debian"',
            default="that of your devcontainer.json",
            limits="It cannot name a variable of the host's environment.",
            own_text=True,
        ),
        Key(
            "skip_features",
            "Features of your devcontainer.json that are left out of the image, with or without their version; `*` "
            "stands for all",
            '["ghcr.io/devcontainers/features/docker-in-docker"]',
            type=TEXTS,
            default="none",
            pattern=FEATURE,
        ),
        Key(
            "user",
            "The user inside: a name or a number",
            '"vscode"',
            default="what the image and the profile say",
            limits="Root is refused where the profile says non-root, and so is a variable of the "
            "host's environment.",
            own_text=True,
        ),
        _nested(),
    )


def _nested() -> Key:
    return Key(
        "nested_sandbox",
        "Whether programs inside may make sandboxes of their own with bubblewrap, as agents do: `calls` opens "
        "the system calls for it",
        '"calls"',
        default="`off`",
        literal="off",
        choices=NESTED_SANDBOXES,
        limits="It counts only after `sandboxd trust add`, and only with a private copy of the workspace: "
        "a program with mounts of its own could move pinned files away. `review`, `untrusted` and a policy "
        "refuse it.",
    )


def _capabilities() -> Key:
    return Key(
        "add",
        "Capabilities that the sandbox gets in addition to the profile's; `CAP_` and case do not matter",
        '["NET_BIND_SERVICE"]',
        type=TEXTS,
        default="none",
        choices=CAPABILITIES,
        limits="One that the profile does not give by itself counts only after `sandboxd trust add`, and "
        "one that the profile or a policy does not let a project ask for is refused.",
    )


def _gpus() -> Key:
    return Key(
        "gpus",
        "Graphics processors that are passed in: `all`, or single ones by number or UUID",
        '["all"]',
        type=TEXTS,
        default="none, whatever `hostRequirements.gpu` of your devcontainer.json says",
        pattern=GPU,
        limits="It counts only after `sandboxd trust add`; the profiles `untrusted` and `review` have none, and a "
        "policy can forbid it. gVisor passes them on where it is registered with `--nvproxy` and knows the driver.",
    )


def _mode() -> Key:
    return Key(
        "mode",
        "What the sandbox reaches: nothing, the names that are allowed, or everything (`open`)",
        '"allow"',
        default="that of the profile",
        literal="default",
        choices=NETWORK_MODES,
        limits="`default` is that of the profile, and a list of names asks for `allow`. What is looser than "
        "the profile counts only after `sandboxd trust add`, and a profile or a policy can forbid it.",
    )


def _names_allowed() -> Key:
    return Key(
        "allow",
        "Names that the sandbox reaches, in place of the profile's own list: groups that ship, hosts "
        "(ports 80 and 443, or the one that is named), and `*.host` for the names below it",
        '["pypi", "github.com:443", "*.example.org"]',
        type=TEXTS,
        default="the groups that the profile has for the project's files",
        choices=groups.names(),
        limits="What the profile would not allow by itself counts only after `sandboxd trust add`. A wildcard "
        "below a name where anybody may have one is refused, and so is an address.",
        pattern=NAMED_HOST,
        idle_beside=("mode", MODES_WITHOUT_NAMES),
    )


def _private() -> Key:
    return Key(
        "private",
        "Hosts that may lead to private addresses, and private IPv4 addresses themselves",
        '["db.corp.example:5432", "10.1.2.3:5432"]',
        type=TEXTS,
        default="none",
        limits="It counts only after `sandboxd trust add`. This machine, link-local and metadata addresses are "
        "never reached.",
        pattern=HOST,
        idle_beside=("mode", MODES_WITHOUT_NAMES),
    )


def _forward() -> Key:
    return Key(
        "forward",
        "Ports of the sandbox that are open on this machine while it runs, for this machine alone, beside those of "
        "`forwardPorts`: `3000`, `3000:8080` for port 8080 here, `db:5432` for the service `db`",
        '["3000", "db:5432"]',
        type=TEXTS,
        default="those of your devcontainer.json",
        limits="The daemon opens them, for the sandbox without a name. Under `untrusted` and `review` none is open by "
        "itself: `sandboxd forward` opens it.",
        pattern=PORT,
    )


def _credentials() -> tuple[Key, ...]:
    return (
        Key(
            "use",
            "Services that the sandbox uses with your secrets, which the gateway adds on the way out; "
            "`NAME:ACCOUNT` where you have several accounts",
            '["github", "anthropic"]',
            type=TEXTS,
            default="none",
            choices=services.names(),
            limits="It counts only after `sandboxd trust add`, which shows the hosts, methods and paths, and a "
            "policy can forbid it. Where a secret is (`sandboxd credentials add`), no project says.",
            pattern=name.pattern(),
        ),
        Key(
            "required",
            "As `use`, and `up` refuses to start without the secret; without one of `use` it goes on, and says so",
            '["github"]',
            type=TEXTS,
            default="none",
            choices=services.names(),
            pattern=name.pattern(),
        ),
    )


_LAYOUT = Key(
    "layout",
    "Whether the host's folder itself is worked on, a private copy of it, or a copy that is kept the same",
    '"clone"',
    default="that of the profile",
    choices=LAYOUTS,
    limits="Where the profile works on a copy, the others count only after `sandboxd trust add`; a policy can forbid.",
)
_SYNC = Key(
    "sync",
    "With the layout `synced`: files that git ignores and that are kept the same, as in a `.gitignore`",
    '["dist", ".env"]',
    type=TEXTS,
    default="none: what git ignores stays on the side where it was made",
    pattern=FOLDER_INSIDE,
)


def _hot() -> Key:
    return Key(
        "hot",
        "Folders that are kept in memory under gVisor, where files on the host are slow; what is in "
        "them goes with the sandbox",
        '["node_modules"]',
        type=TEXTS,
        default="those of known tools that are missing or empty on the host",
        pattern=FOLDER_INSIDE,
        limits="A folder that has content on the host is hidden by it. Control files are refused.",
    )


def _shared_volumes() -> Key:
    return Key(
        "shared_volumes",
        "Named volumes of your devcontainer.json that other projects of this engine name, too; any other "
        "is this project's alone",
        '["cargo-registry"]',
        type=TEXTS,
        default="none",
        pattern=VOLUME_NAME,
        limits="What one project puts into it, the others run: it counts only after `sandboxd trust add`.",
    )


def _kubernetes() -> Key:
    return Key(
        "kubernetes",
        "A context of your kubeconfig: commands without `--on` are about the sandbox on that cluster",
        '"team"',
        default="none: this machine",
        limits="It counts only after `sandboxd trust add`; until then it is named and not followed. With `--here` a "
        "command is about this machine.",
    )


def _variable() -> Key:
    return Key(
        "*",
        "A variable and its value",
        'EDITOR = "vi"',
        default="none",
        limits="It cannot copy a variable of the host's environment, maybe a secret.",
        own_text=True,
        may_be_empty=True,
    )


def _allow(rules: tuple[str, ...]) -> tuple[Key, ...]:
    return (
        Key(
            "rule",
            "The rule whose findings are accepted",
            '"host-network"',
            choices=rules,
            limits="It changes what `check` reports, not what the sandbox does. A policy can name rules of "
            "which nothing is accepted.",
        ),
        Key("reason", "Why they are accepted, for the next reader", '"the test server needs it"'),
        Key(
            "expires",
            "Until which day they are accepted",
            "2027-01-31",
            type=DATE,
            default="for ever",
        ),
    )


def _level(rules: tuple[str, ...]) -> Key:
    return Key(
        "*",
        "The id of a rule, and the severity that its findings get",
        'home-mounted = "warning"',
        default="the severity that the rule gives",
        choices=LEVELS,
        names=rules,
        limits="A policy can name rules whose findings no level makes less.",
    )

"""Projects of Compose files, by the part of the language that they use: file -> text, the first is opened."""

from __future__ import annotations

PROJECTS: dict[str, dict[str, str]] = {
    "anchors and merges": {
        "compose.yaml": """
x-base: &base
  image: a:1
  cap_add: [SYS_PTRACE]
  environment: &env { A: "1", B: no }
x-more: &more { user: root, cap_add: [NET_RAW] }
services:
  one: { <<: *base, privileged: true }
  two:
    <<: [*more, *base]
    image: b:2
    environment: { <<: *env, C: 017 }
""",
    },
    "values behind anchors, aliases and tags": {
        "compose.yaml": """
x-key: &key privileged
x-list: &list [SYS_ADMIN, &cap SYS_PTRACE]
x-none: &none !reset []
services:
  anchor: { image: a, privileged: &p true, read_only: *p, user: &u "0", working_dir: &w /w }
  alias-key: { image: b, *key : !!bool true }
  tags: { image: !!str c, privileged: !!bool "true", init: !own true, read_only: !override yes }
  binary: { image: d, !!binary cHJpdmlsZWdlZA== : !!binary dHJ1ZQ== }
  both: { image: e, privileged: !!bool &q true, init: &r !!bool true, "\\x72ead_only": *q }
  lists: { image: f, cap_add: *list, cap_drop: [&c !!str ALL, *cap], group_add: &g [!!str 5] }
  reset: { image: g, cap_add: *none, pid: !reset null, ipc: &i host }
  folded:
    image: h
    privileged: &s # behind a comment
      >-
      true
    environment: [&e A=1, !own B=2]
    labels: &l { &n "a": &v b, c: *v }
""",
    },
    "numbers": {
        "compose.yaml": """
services:
  app:
    image: a:1
    ports: [&x 22, 0x50, 4_43, !!int "81", *x]
    oom_score_adj: &o -5_00
    pids_limit: 0x10
    ulimits: &u { nofile: &n 5, nproc: *n, core: { soft: *n, hard: &h 1_0 } }
    labels: { a: 017, b: 1_0, c: True, d: 1.50, e: 0x1F }
""",
    },
    "one of a kind": {
        "docker-compose.yml": """
x-reset: &none !reset []
services:
  app:
    image: a:1
    build: { context: ., args: { A: "1", B: "2" }, network: host, privileged: true }
    devices: ["/dev/a:/dev/x", "/dev/b:/dev/y:r"]
    ports: ["80:80", { target: 81, published: "81" }, "82:82/udp"]
    expose: ["1"]
    logging: { driver: syslog, options: { a: "1", b: "2" } }
    extra_hosts: { h: [1.1.1.1, 2.2.2.2], i: "3.3.3.3" }
    ulimits: { nofile: 5, core: 6 }
  other:
    image: b:1
    logging: { driver: local, options: { a: "1", b: "2" } }
    ports: ["90:90"]
""",
        "docker-compose.override.yml": """
services:
  app:
    build: { args: ["A=3"], network: none, privileged: false }
    devices: ["/dev/c:/dev/x"]
    ports: ["80:80"]
    logging: { driver: json-file, options: { c: "3" } }
    extra_hosts: ["h:4.4.4.4", "i:3.3.3.3"]
    ulimits: { nofile: { soft: 1, hard: 2 } }
  other:
    logging: { options: { b: "3" } }
    ports: !reset []
""",
    },
    "an override file": {
        "docker-compose.yml": """
services:
  app:
    image: a:1
    privileged: true
    cap_add: [SYS_ADMIN]
    security_opt: ["seccomp:unconfined"]
    volumes: ["/a:/x", "./b:/y:ro", "data:/z"]
    environment: [A=1, B=2]
    ports: ["80:80"]
volumes: { data: {} }
""",
        "docker-compose.override.yml": """
services:
  app:
    privileged: false
    cap_add: [NET_ADMIN]
    volumes: ["/c:/x:ro"]
    environment: { B: three }
    user: "1000"
""",
    },
    "reset and override": {
        "compose.yml": """
services:
  app:
    image: a:1
    cap_add: [A]
    pid: host
    network_mode: host
    volumes: ["/a:/a"]
""",
        "compose.override.yml": """
services:
  app:
    cap_add: !override [B]
    pid: !reset null
    volumes: !reset []
""",
    },
    "an extended service resets only what is its own": {
        "compose.yaml": """
services:
  app: { image: a:1, ports: ["80:80"], cap_add: [A], pid: host }
""",
        "compose.override.yaml": """
services:
  app: { extends: base, cap_drop: [X] }
  base: { image: b:1, ports: !reset [], cap_add: !override [B], pid: !reset null, privileged: true }
""",
    },
    "extends from another file, in a chain": {
        "compose.yaml": """
services:
  app:
    extends: { file: lib/base.yml, service: mid }
    cap_add: [C]
""",
        "lib/base.yml": """
services:
  mid:
    extends: low
    cap_add: [B]
    volumes: ["./data:/data"]
  low:
    image: a:1
    user: root
    cap_add: [A]
    privileged: true
""",
    },
    "include": {
        "compose.yaml": """
include:
  - sub/inc.yml
  - path: [sub/one.yml, sub/two.yml]
services:
  app: { image: a:1 }
""",
        "sub/inc.yml": "services: { inc: { image: i:1, pid: host, volumes: ['./v:/v'] } }\n",
        "sub/one.yml": "services: { both: { image: o:1, privileged: true } }\n",
        "sub/two.yml": "services: { both: { privileged: false, user: two } }\n",
    },
    "interpolation": {
        "compose.yaml": """
services:
  app:
    image: a:${TAG:-1}
    user: ${NOBODY:-${FALLBACK-u}}
    privileged: ${PRIV:-true}
    cap_add: ["${CAP}"]
    volumes:
      - ${HOME}/x:/x
      - ~/y:/y
      - ${SOCK:-/var/run/docker.sock}:/s
    labels: { a: $$HOME, b: "${EMPTY:+no}${TAG:+yes}" }
""",
        ".env": "CAP=NET_ADMIN\nTAG=ignored\nEMPTY=\nexport FALLBACK='quoted' # why\n",
    },
    "long forms": {
        "compose.yaml": """
services:
  app:
    image: a:1
    init: true
    read_only: yes
    volumes:
      - { type: bind, source: ./a, target: /a, read_only: true }
      - { type: volume, source: v, target: /v }
      - { type: tmpfs, target: /t }
    devices: ["/dev/a", "/dev/b:/dev/c:r"]
    extra_hosts: ["h:host-gateway"]
    deploy: { resources: { limits: { memory: 1g, pids: 10 } } }
    userns_mode: host
    ipc: host
    uts: host
    cgroup: host
    runtime: runsc
    working_dir: /w
    group_add: [docker, 998]
    annotations: { dev.gvisor.flag.host-uds: open }
volumes: { v: {} }
""",
    },
}

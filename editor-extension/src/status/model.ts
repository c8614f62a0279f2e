/** The answer of `sandboxd status --json`, and no more of it than is shown. */

import type { Opened } from '../ports/model';

export type State = 'running' | 'paused' | 'stopped' | 'not created' | 'invalid config' | 'missing' | 'unknown';
/** `left out`: nothing asks for it. `open`: a way out that is open on purpose. */
export type Seen = 'in force' | 'not in force' | 'not seen' | 'left out' | 'open';

/** One control of a running sandbox: `why` is what was observed. */
export interface Control {
    name: string;
    state: Seen;
    why: string;
}

/** The last `sandboxd verify` of this container. */
export interface Verification {
    /** `void`: it is not what was attacked. */
    state: 'held' | 'escaped' | 'not shown' | 'void';
    ageSeconds: number;
    tried: number;
    escaped: string[];
    /** Attempts for which there was nothing to attack. */
    notTried: string[];
    /** Ways out that are open on purpose. */
    open: string[];
}

export interface Counts {
    error: number;
    warning: number;
    hint: number;
    skipped: number;
}

export interface Project {
    path: string;
    state: State;
    /** Pins that the host's own acts took away, in words: what runs inside can write there. */
    lost: string[];
    /** Whether it, or another container on its folder, was halted by that, until the user makes it anew. */
    halted: boolean;
    profile: string | null;
    asked: Record<string, string> | null;
    /** What was seen of the running container; null when nothing was. */
    inForce: { settings: Record<string, string>; controls: Control[] } | null;
    /** null where it was never attacked. */
    verified: Verification | null;
    drift: string[];
    downgrades: string[];
    /** Ports of the config that the daemon opened on this machine. */
    openPorts: Opened[];
    findings: Counts | null;
    problem: string | null;
    hint: string | null;
}

export interface Runtime {
    name: string;
    usable: boolean | null;
    gvisor: boolean;
    why: string | null;
    fix: string | null;
}

export interface Status {
    daemon: { running: boolean; problem: string | null };
    /** null while it has not been asked. */
    engine: { name: string; error: string | null; hint: string | null; runtimes: Runtime[] } | null;
    projects: Project[];
}

type Json = Record<string, unknown>;

/**
 * The status that `text` holds.
 *
 * @throws Error: it is none, or of a version that this extension does not know
 */
export function parseStatus(text: string): Status {
    const data = object(JSON.parse(text));
    if (data['version'] !== 1) {
        throw new Error(`sandboxd status has version ${String(data['version'])}, this extension knows 1`);
    }
    const daemon = object(data['daemon']);
    const engine = object(object(data['host'])['engine']);
    return {
        daemon: { running: daemon['running'] === true, problem: textOf(daemon['problem']) },
        engine:
            data['host'] === null || object(data['host'])['engine'] === null
                ? null
                : {
                      name: [textOf(engine['kind']), textOf(engine['version'])].filter(Boolean).join(' '),
                      error: textOf(engine['error']),
                      hint: textOf(engine['hint']),
                      runtimes: list(engine['runtimes']).map(runtime),
                  },
        projects: list(data['projects']).map(project),
    };
}

function runtime(data: Json): Runtime {
    return {
        name: String(data['name']),
        usable: typeof data['usable'] === 'boolean' ? data['usable'] : null,
        gvisor: data['gvisor'] === true,
        why: textOf(data['why']),
        fix: textOf(data['fix']),
    };
}

function project(data: Json): Project {
    const force = data['in_force'] == null ? null : object(data['in_force']);
    const counts = data['findings'] == null ? null : object(data['findings']);
    return {
        path: String(data['path']),
        state: stateOf(data['state']),
        lost: strings(data['lost']),
        halted: textOf(data['halted']) !== null || Object.keys(object(data['halted_beside'])).length > 0,
        profile: textOf(data['profile']),
        asked: data['asked'] == null ? null : texts(data['asked']),
        inForce:
            force === null
                ? null
                : { settings: texts(force['settings']), controls: list(force['controls']).map(control) },
        verified: data['verified'] == null ? null : verification(object(data['verified'])),
        drift: strings(data['drift']),
        downgrades: strings(data['downgrades']),
        openPorts: list(data['open_ports']).map((port) => ({
            port: numberOf(port['port']),
            service: textOf(port['service']) ?? '',
            label: textOf(port['label']) ?? '',
            address: textOf(port['url']) ?? '',
        })),
        findings:
            counts === null
                ? null
                : {
                      error: numberOf(counts['error']),
                      warning: numberOf(counts['warning']),
                      hint: numberOf(counts['hint']),
                      skipped: numberOf(counts['skipped']),
                  },
        problem: textOf(data['problem']),
        hint: textOf(data['hint']),
    };
}

const VERIFIED: readonly Verification['state'][] = ['held', 'escaped', 'not shown', 'void'];

function verification(data: Json): Verification {
    return {
        state: VERIFIED.find((word) => word === data['state']) ?? 'not shown',
        ageSeconds: numberOf(data['age_seconds']),
        tried: numberOf(data['tried']),
        escaped: strings(data['escaped']),
        notTried: strings(data['not_tried']),
        open: strings(data['open']),
    };
}

const SEEN: readonly Seen[] = ['in force', 'not in force', 'not seen', 'left out', 'open'];

function control(data: Json): Control {
    const state = data['state'];
    return {
        name: String(data['name']),
        // A word that is not known says nothing, so nothing is claimed.
        state: SEEN.find((word) => word === state) ?? 'not seen',
        why: textOf(data['why']) ?? '',
    };
}

const STATES: readonly string[] = ['running', 'paused', 'stopped', 'not created', 'invalid config', 'missing'];

function stateOf(value: unknown): State {
    return typeof value === 'string' && STATES.includes(value) ? (value as State) : 'unknown';
}

function object(value: unknown): Json {
    return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): Json[] {
    return Array.isArray(value) ? value.map(object) : [];
}

function strings(value: unknown): string[] {
    return Array.isArray(value) ? value.map(String) : [];
}

function texts(value: unknown): Record<string, string> {
    return Object.fromEntries(Object.entries(object(value)).map(([key, item]) => [key, String(item)]));
}

function textOf(value: unknown): string | null {
    return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: unknown): number {
    return typeof value === 'number' ? value : 0;
}

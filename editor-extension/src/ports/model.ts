/** The ports of a sandbox: those that are open on this machine, and those on which something listens inside. */

/** A port that the daemon or this window opened on this machine. */
export interface Opened {
    port: number;
    /** '' for the workspace's own. */
    service: string;
    /** A name for people, of the repository; '' for none. */
    label: string;
    /** Its address here: with a scheme where a browser can open it. */
    address: string;
}

/** A port on which a program inside listens. */
export interface Listening {
    port: number;
    /** '' where it could not be seen. */
    program: string;
}

export interface Port {
    port: number;
    service: string;
    label: string;
    program: string;
    /** null where it is not open on this machine. */
    address: string | null;
    /** Whether this window opened it, and can close it. */
    isOurs: boolean;
}

/** Every port once, those of the workspace first, by number; one that the daemon opened is not this window's. */
export function merge(opened: readonly Opened[], ours: readonly Opened[], listening: readonly Listening[]): Port[] {
    const ports = new Map<string, Port>();
    const key = (service: string, port: number): string => `${service}:${port}`;
    const programs = new Map(listening.map(({ port, program }) => [port, program]));
    for (const { port, program } of listening) {
        ports.set(key('', port), { port, service: '', label: '', program, address: null, isOurs: false });
    }
    for (const [list, isOurs] of [[ours, true], [opened, false]] as const) {
        for (const { port, service, label, address } of list) {
            const program = service === '' ? (programs.get(port) ?? '') : '';
            ports.set(key(service, port), { port, service, label, program, address, isOurs });
        }
    }
    return [...ports.values()].sort((a, b) => a.service.localeCompare(b.service) || a.port - b.port);
}

/** What `sandboxd forward` takes: ``3000`` or ``db:5432``. */
export function wish(port: { port: number; service: string }): string {
    return port.service === '' ? String(port.port) : `${port.service}:${port.port}`;
}

/** The address for a browser, undefined where there is none. Nothing but a port of this machine is one. */
export function browsable(address: string | null): string | undefined {
    return address !== null && /^https?:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$/.test(address) ? address : undefined;
}

/** A port as people type it, undefined where it is none: a number, one here behind it, a service before it. */
export function typed(text: string): string | undefined {
    return /^([a-z0-9][a-z0-9_.-]*:)?\d{1,5}(:\d{1,5})?$/i.test(text.trim()) ? text.trim() : undefined;
}

/** The answer of `sandboxd forward --json` without a port.
 *
 * @throws Error: it is none
 */
export function parseListening(text: string): Listening[] {
    const data = JSON.parse(text) as { version?: unknown; listening?: unknown };
    if (data.version !== 1 || !Array.isArray(data.listening)) {
        throw new Error('sandboxd forward says something that this extension does not know');
    }
    return data.listening.map((item: Record<string, unknown>) => ({
        port: Number(item['port']),
        program: typeof item['program'] === 'string' ? item['program'] : '',
    }));
}

/** A line of `sandboxd forward PORT --json`, undefined where it is none. */
export function parseForwarded(line: string): Opened | undefined {
    try {
        const { port, service, address } = JSON.parse(line) as Record<string, unknown>;
        return typeof port === 'number' && typeof service === 'string' && typeof address === 'string'
            ? { port, service, label: '', address }
            : undefined;
    } catch {
        return undefined;
    }
}

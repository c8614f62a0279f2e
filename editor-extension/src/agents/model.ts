/** The agents that there are, and their sessions on a project: the answer of `sandboxd agent --json`. */

export interface Agent {
    name: string;
    title: string;
    /** Its version, or that the image has it. */
    origin: string;
    /** Whether it can go on where it ended. */
    resumes: boolean;
    /** Why it cannot be read; null otherwise. */
    problem: string | null;
}

/** A host that its gateway let nobody reach; its words are the sandbox's. */
export interface Denied {
    name: string;
    port: number | null;
    times: number;
}

export interface Session {
    name: string;
    agent: string;
    /** When the agent that is at work began, in seconds since 1970; null where none is. */
    since: number | null;
    /** The state of its sandbox, `unknown` where the engine could not be asked. */
    state: string;
    /** null where nothing was recorded. */
    denied: Denied[] | null;
}

export interface Listed {
    version: number;
    project: string;
    agents: Agent[];
    sessions: Session[];
}

/** @throws Error: it is of a version that this extension does not know */
export function parseListed(text: string): Listed {
    const data = JSON.parse(text) as Listed;
    if (data.version !== 1 || !Array.isArray(data.agents) || !Array.isArray(data.sessions)) {
        throw new Error('sandboxd agent says something that this extension does not know');
    }
    return data;
}

/** What is seen of a session, in a few words. */
export function stateOf(session: Session, nowSeconds: number): string {
    if (session.since !== null) {
        const minutes = Math.max(0, Math.floor((nowSeconds - session.since) / 60));
        const age = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
        return `at work for ${age}`;
    }
    switch (session.state) {
        case 'running':
            return 'ended, its sandbox runs';
        case 'unknown':
            return 'its sandbox could not be asked';
        case 'not created':
            return 'ended, no sandbox';
        default:
            return `ended, its sandbox is ${session.state}`;
    }
}

/** A name for one more session of `agent`: its own, else with a number. One whose agent is not at work is taken up. */
export function nameFor(agent: string, sessions: readonly Session[]): string {
    const isTaken = (name: string): boolean => sessions.some((session) => session.name === name && (session.since !== null || session.agent !== agent));
    for (let number = 1; ; number += 1) {
        const name = number === 1 ? agent : `${agent}-${number}`;
        if (!isTaken(name)) {
            return name;
        }
    }
}

/** The words of `sandboxd` that start an agent; `task` '' is a talk in the terminal. */
export function starting(agent: string, name: string, task: string, isResumed = false): string[] {
    const named = name === agent ? [] : ['--name', name];
    // In one word with its option: a task may begin with a dash.
    return ['agent', agent, ...named, ...(isResumed ? ['--resume'] : []), ...(task === '' ? [] : [`--print=${task}`])];
}

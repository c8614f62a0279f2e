/** What a hint's first command is as an action of the editor. */

export interface Action {
    title: string;
    command: string;
    /** Typed into a terminal, and not run: it asks for a password, or wants to be read. */
    typed?: string;
}

const ACTIONS: readonly [RegExp, Action][] = [
    [/`sandboxd trust add`/, { title: 'Trust', command: 'sandboxd.trust' }],
    [/`sandboxd up --recreate`/, { title: 'Make Sandbox Anew', command: 'sandboxd.setUp', typed: 'sandboxd up --recreate' }],
    [/`sandboxd up`/, { title: 'Start Sandbox', command: 'sandboxd.up' }],
    [/`sandboxd verify`/, { title: 'Verify Sandbox', command: 'sandboxd.verify' }],
    [/`sandboxd generate`/, { title: 'Write devcontainer.json', command: 'sandboxd.generate' }],
    [/`sandboxd init`/, { title: 'Create sandboxd.toml', command: 'sandboxd.init' }],
    [/`sandboxd daemon start`/, { title: 'Start Daemon', command: 'sandboxd.daemonStart' }],
    [/`sandboxd check [^`]*`/, { title: 'Show Problems', command: 'workbench.actions.view.problems' }],
];

/** Commands that set the machine up: no word of them comes from a workspace. */
const SET_UP = /`((?:sudo )?sandboxd setup(?: [a-z-]+)*|sudo systemctl (?:re)?start [a-z]+)`/;

/** The action of `hint`; the log where there is none. */
export function actionOf(hint: string): Action {
    const setUp = SET_UP.exec(hint);
    const first = ACTIONS.map(([pattern, action]) => ({ at: hint.search(pattern), action }))
        .filter((candidate) => candidate.at >= 0)
        .sort((a, b) => a.at - b.at)[0];
    if (setUp !== null && (first === undefined || setUp.index < first.at)) {
        return { title: 'Set Up', command: 'sandboxd.setUp', typed: setUp[1]! };
    }
    return first?.action ?? { title: 'Show Log', command: 'sandboxd.log' };
}

/**
 * The status as last observed. Asked again after each action, when the window gets the focus, when
 * the daemon tells of a change, and every now and then while somebody is looking.
 */

import * as vscode from 'vscode';
import { run } from '../process';
import { parseStatus, type Project, type Status } from './model';
import { Watch } from './watch';

// The daemon answers from memory; alone, sandboxd has to ask the engine each time.
const DAEMON_EVERY_MS = 10_000;
const ALONE_EVERY_MS = 30_000;

/** What is known: a status with its time, or why there is none. Old answers are not kept. */
export type Known = { status: Status; at: Date } | { status: undefined; reason: string };

export class StatusFeed implements vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<Known>();
    private readonly watch = new Watch(() => void this.refresh());
    private readonly subscriptions: vscode.Disposable[] = [this.changed, this.watch];
    private timer: NodeJS.Timeout | undefined;
    private asking: Promise<void> | undefined;
    private again = false;
    private disposed = false;

    readonly onDidChange = this.changed.event;
    known: Known = { status: undefined, reason: 'not asked yet' };

    constructor(
        private readonly program: () => string | undefined,
        private readonly log: vscode.LogOutputChannel,
    ) {
        this.subscriptions.push(
            vscode.window.onDidChangeWindowState((state) => {
                if (state.focused) {
                    void this.refresh();
                }
            }),
            vscode.workspace.onDidChangeWorkspaceFolders(() => void this.refresh()),
            vscode.workspace.onDidSaveTextDocument((document) => {
                if (/sandboxd\.toml$|devcontainer\.json$/.test(document.fileName)) {
                    void this.refresh();
                }
            }),
        );
    }

    dispose(): void {
        this.disposed = true;
        clearTimeout(this.timer);
        this.subscriptions.forEach((subscription) => subscription.dispose());
    }

    /** Ask now; one question at a time, and one more when something changed meanwhile. */
    async refresh(): Promise<void> {
        if (this.asking !== undefined) {
            this.again = true;
            return this.asking;
        }
        this.asking = this.askUntilQuiet();
        await this.asking;
    }

    private async askUntilQuiet(): Promise<void> {
        clearTimeout(this.timer);
        do {
            this.again = false;
            this.known = await this.ask();
        } while (this.again && !this.disposed);
        this.asking = undefined;
        if (!this.disposed) {
            this.changed.fire(this.known);
            this.schedule();
        }
    }

    private schedule(): void {
        const every = this.known.status?.daemon.running === true ? DAEMON_EVERY_MS : ALONE_EVERY_MS;
        this.timer = setTimeout(() => {
            if (vscode.window.state.focused) {
                void this.refresh();
            }
        }, every);
    }

    private async ask(): Promise<Known> {
        if (!vscode.workspace.isTrusted) {
            return { status: undefined, reason: 'Restricted Mode: nothing is asked' };
        }
        const program = this.program();
        if (program === undefined) {
            return { status: undefined, reason: 'the program sandboxd was not found' };
        }
        const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file');
        const answers: Status[] = [];
        try {
            for (const folder of folders) {
                const answer = await this.askIn(program, folder.uri.fsPath);
                answers.push(answer);
                if (answer.daemon.running) {
                    this.watch.start(program, folder.uri.fsPath);
                    break;
                }
            }
        } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            this.log.warn(`status: ${reason}`);
            return { status: undefined, reason };
        }
        const first = answers[0];
        if (first === undefined) {
            return { status: undefined, reason: 'no folder is open' };
        }
        return { status: { ...first, projects: distinct(answers.flatMap((answer) => answer.projects)) }, at: new Date() };
    }

    private async askIn(program: string, cwd: string): Promise<Status> {
        const { code, stdout, stderr } = await run(program, ['status', '--json'], { cwd });
        if (stdout === '') {
            throw new Error(stderr.split('\n')[0] ?? `sandboxd status ended with ${code}`);
        }
        return parseStatus(stdout);
    }
}

function distinct(projects: Project[]): Project[] {
    return [...new Map(projects.map((project) => [project.path, project])).values()];
}

/** The project of the folder `path`: the one at it, above it, or the first below it. */
export function projectOf(status: Status, path: string): Project | undefined {
    const isBelow = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`);
    const above = status.projects.filter((project) => isBelow(path, project.path));
    return above.sort((a, b) => b.path.length - a.path.length)[0] ?? status.projects.find((project) => isBelow(project.path, path));
}

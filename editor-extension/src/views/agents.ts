/** The view Agents: each session of an agent on the open projects, and what is seen of it. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { parseListed, stateOf, type Listed, type Session } from '../agents/model';
import { openFolders } from '../folders';
import { failure, run } from '../process';
import type { StatusFeed } from '../status/feed';
import { icon, Line } from './line';
import { visible } from './words';

export class SessionLine extends Line {
    constructor(
        readonly folder: string,
        readonly session: Session,
        isNamed: boolean,
    ) {
        const state = stateOf(session, Date.now() / 1000);
        const agent = session.name === session.agent ? '' : `${visible(session.agent)}, `;
        const denied = session.denied ?? [];
        super(visible(session.name), {
            description: `${agent}${state}${isNamed ? `  ${path.basename(folder)}` : ''}`,
            icon: session.since !== null ? icon('sync', 'testing.iconPassed') : icon(session.state === 'running' ? 'circle-filled' : 'circle-outline'),
            tooltip: `${visible(session.agent)} on ${visible(folder)}\n${state}${denied.length === 0 ? '' : `\n${denied.length} names denied`}`,
            context: `agent.${session.since !== null ? 'working' : session.state === 'running' ? 'idle' : 'ended'}`,
            lines: denied.length === 0 ? undefined : denied.map(deniedLine),
        });
        this.id = `${folder}\0${session.name}`;
        this.project = folder;
        this.command = { command: 'sandboxd.agentReview', title: 'Review Changes of Agent', arguments: [this] };
    }
}

function deniedLine({ name, port, times }: { name: string; port: number | null; times: number }): Line {
    const where = visible(port === null ? name : `${name}:${port}`);
    return new Line(where, { description: times === 1 ? 'denied' : `denied ${times} times`, icon: icon('circle-slash', 'list.warningForeground') });
}

export class Agents implements vscode.TreeDataProvider<Line>, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    private readonly view: vscode.TreeView<Line>;
    private readonly subscription: vscode.Disposable;
    readonly onDidChangeTreeData = this.changed.event;

    constructor(
        private readonly program: () => string | undefined,
        feed: StatusFeed,
    ) {
        this.view = vscode.window.createTreeView('sandboxd.agents', { treeDataProvider: this });
        this.subscription = feed.onDidChange(() => this.changed.fire());
    }

    dispose(): void {
        this.subscription.dispose();
        this.view.dispose();
        this.changed.dispose();
    }

    /** Ask anew; nothing is asked while nobody looks. */
    refresh(): void {
        this.changed.fire();
    }

    /** The session that the cursor of the view is on. */
    get selected(): SessionLine | undefined {
        const line = this.view.selection[0];
        return line instanceof SessionLine ? line : undefined;
    }

    getTreeItem(line: Line): vscode.TreeItem {
        return line;
    }

    async getChildren(line?: Line): Promise<Line[]> {
        if (line !== undefined) {
            return line.lines();
        }
        const folders = openFolders();
        const rows: Line[] = [];
        for (const folder of folders) {
            const answer = await this.ask(folder);
            if (typeof answer === 'string') {
                rows.push(new Line('Sessions are not known', { description: visible(answer), icon: icon('question') }));
            } else {
                rows.push(...answer.sessions.map((session) => new SessionLine(answer.project, session, folders.length > 1)));
            }
        }
        return rows;
    }

    /** What is known of a project's agents, or why nothing is. */
    async ask(folder: string): Promise<Listed | string> {
        const program = this.program();
        if (program === undefined || !vscode.workspace.isTrusted) {
            return 'nothing is asked in Restricted Mode, or without the program';
        }
        try {
            const { stdout, stderr } = await run(program, ['agent', '--json'], { cwd: folder });
            return stdout === '' ? failure(stderr).message : parseListed(stdout);
        } catch (error) {
            return error instanceof Error ? error.message : String(error);
        }
    }
}

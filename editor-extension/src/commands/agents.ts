/** Agents: start one with a task or to talk with, watch it, go on, and end its sandbox. */

import * as vscode from 'vscode';
import { nameFor, starting, type Agent, type Listed, type Session } from '../agents/model';
import type { Logs } from '../logs/logs';
import { SessionLine, type Agents } from '../views/agents';
import { inMessage, visible } from '../views/words';
import type { ChangeCommands } from './changes';
import { folderOf, programFor, runJob, tellFailure, type Context } from './context';

const TASK = 'sandboxd';

interface Chosen {
    folder: string;
    session: Session;
}

export class AgentCommands implements vscode.Disposable {
    private readonly subscription: vscode.Disposable;

    constructor(
        private readonly context: Context,
        private readonly agents: Agents,
        private readonly logs: Logs,
        private readonly changes: ChangeCommands,
    ) {
        this.subscription = vscode.tasks.onDidEndTask(({ execution }) => void this.ended(execution.task.definition));
    }

    dispose(): void {
        this.subscription.dispose();
    }

    /** Choose an agent and what it is to do, and start it in a terminal: what it is given is asked there. */
    async start(argument: unknown): Promise<void> {
        const folder = folderOf(argument);
        const listed = folder === undefined ? undefined : await this.listed(folder);
        if (listed === undefined) {
            return;
        }
        const agent = await vscode.window.showQuickPick(listed.agents.map(item), { title: 'Which agent?', placeHolder: 'It works on a copy; afterwards you see what it changed' });
        if (agent === undefined) {
            return;
        }
        const task = await vscode.window.showInputBox({ title: `Task for ${visible(agent.title)}`, prompt: 'Empty: talk with it in the terminal', ignoreFocusOut: true });
        if (task !== undefined) {
            const name = nameFor(agent.name, listed.sessions);
            await this.run(listed.project, name, starting(agent.name, name, task.trim()));
        }
    }

    /** Go on where the agent ended. */
    async resume(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Go on with which agent?', (session) => session.since === null);
        const listed = chosen === undefined ? undefined : await this.listed(chosen.folder);
        if (chosen !== undefined && listed !== undefined) {
            const { name, agent } = chosen.session;
            const resumes = listed.agents.some((candidate) => candidate.name === agent && candidate.resumes);
            await this.run(chosen.folder, name, starting(agent, name, '', resumes));
        }
    }

    /** Show where it works: its terminal in this window, else the output of its sandbox. */
    async watch(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Watch which agent?', () => true);
        const isHere = chosen !== undefined && vscode.tasks.taskExecutions.some(({ task }) => isOf(task.definition, chosen));
        const terminal = isHere ? vscode.window.terminals.find((candidate) => candidate.name === chosen.session.name) : undefined;
        if (terminal !== undefined) {
            terminal.show();
        } else if (chosen !== undefined) {
            this.showLogs(chosen);
        }
    }

    async showOutput(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Logs of which agent?', () => true);
        if (chosen !== undefined) {
            this.showLogs(chosen);
        }
    }

    /** What it changed so far; it may be at work still. */
    async review(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Review the changes of which agent?', () => true);
        if (chosen !== undefined) {
            await this.changes.look({ folder: chosen.folder, name: chosen.session.name });
        }
    }

    /** End its sandbox; its work is kept. */
    async stop(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'End the sandbox of which agent?', () => true);
        if (chosen === undefined) {
            return;
        }
        const { name, since } = chosen.session;
        const detail = since === null ? 'What it changed is kept.' : 'It is at work. What it changed so far is kept.';
        if ((await vscode.window.showWarningMessage(inMessage(`End the sandbox of ${visible(name)}?`), { modal: true, detail }, 'End It')) !== undefined) {
            await runJob(this.context, { title: `ending the sandbox of ${visible(name)}`, args: ['down', '--name', name], folder: chosen.folder });
            this.agents.refresh();
        }
    }

    private showLogs({ folder, session }: Chosen): void {
        const program = programFor(this.context);
        if (program !== undefined) {
            this.logs.show(program, folder, session.name);
        }
    }

    /** As a task: the program itself and no shell, in a terminal that stays when it has ended. */
    private async run(folder: string, session: string, words: string[]): Promise<void> {
        const program = programFor(this.context);
        if (program === undefined) {
            return;
        }
        const scope = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)) ?? vscode.TaskScope.Workspace;
        const task = new vscode.Task({ type: TASK, folder, session }, scope, session, 'sandboxd', new vscode.ProcessExecution(program, words, { cwd: folder }), []);
        const { Always } = vscode.TaskRevealKind;
        task.presentationOptions = { reveal: Always, focus: true, echo: false, clear: true, panel: vscode.TaskPanelKind.Dedicated };
        this.context.log.info(`$ sandboxd ${words.slice(0, 2).join(' ')} ...  (in ${folder})`);
        await vscode.tasks.executeTask(task);
        this.agents.refresh();
    }

    private async ended(definition: vscode.TaskDefinition): Promise<void> {
        if (definition.type !== TASK) {
            return;
        }
        this.agents.refresh();
        const { folder, session: name } = definition as unknown as { folder: string; session: string };
        const chosen = await vscode.window.showInformationMessage(inMessage(`sandboxd: ${visible(name)} ended.`), 'Review Changes');
        if (chosen !== undefined) {
            await this.changes.look({ folder, name });
        }
    }

    private async listed(folder: string): Promise<Listed | undefined> {
        if (programFor(this.context) === undefined) {
            return undefined;
        }
        const answer = await this.agents.ask(folder);
        if (typeof answer === 'string') {
            void tellFailure(this.context, answer, '');
            return undefined;
        }
        return answer;
    }

    /** The session of the line, else of the cursor of the view, else the only one, else one chosen from a list. */
    private async choose(argument: unknown, title: string, fits: (session: Session) => boolean): Promise<Chosen | undefined> {
        const line = argument instanceof SessionLine ? argument : this.agents.selected;
        if (line !== undefined && fits(line.session)) {
            return { folder: line.folder, session: line.session };
        }
        const folder = folderOf(argument);
        const listed = folder === undefined ? undefined : await this.listed(folder);
        const sessions = listed?.sessions.filter(fits) ?? [];
        if (listed === undefined || sessions.length === 0) {
            if (listed !== undefined) {
                void vscode.window.showInformationMessage('sandboxd: there is no such session. "sandboxd: Start Agent" starts one.');
            }
            return undefined;
        }
        const only = sessions.length === 1 ? sessions[0] : undefined;
        if (only !== undefined) {
            return { folder: listed.project, session: only };
        }
        const items = sessions.map((session) => ({ label: visible(session.name), description: visible(session.agent), session }));
        const chosen = await vscode.window.showQuickPick(items, { title });
        return chosen === undefined ? undefined : { folder: listed.project, session: chosen.session };
    }
}

function isOf(definition: vscode.TaskDefinition, { folder, session }: Chosen): boolean {
    return definition.type === TASK && definition['folder'] === folder && definition['session'] === session.name;
}

function item(agent: Agent): vscode.QuickPickItem & Agent {
    const title = visible(agent.title);
    return { ...agent, label: visible(agent.name), description: agent.problem === null ? `${title} ${visible(agent.origin)}` : visible(agent.problem) };
}

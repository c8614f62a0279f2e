/** Starts the language server, shows the state in force, offers the commands. No telemetry. */

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import * as os from 'node:os';
import * as vscode from 'vscode';
import { Server } from './client';
import { AgentCommands } from './commands/agents';
import { bench } from './commands/bench';
import { ChangeCommands } from './commands/changes';
import type { Context } from './commands/context';
import { install, menu } from './commands/help';
import { daemonStart, down, generate, init, up } from './commands/life';
import { PortCommands } from './commands/ports';
import { reopen } from './commands/reopen';
import { setUp, shell, showLogs } from './commands/shell';
import { Trust } from './commands/trust';
import { verify } from './commands/verify';
import { findProgram, type Disk, type Found, type NotFound } from './executable';
import { Logs } from './logs/logs';
import { Forwards } from './ports/forwards';
import { StatusFeed } from './status/feed';
import { Agents } from './views/agents';
import { Changes } from './views/changes';
import { Reports, SCHEME } from './views/pages';
import { Ports } from './views/ports';
import { Sandboxes } from './views/sandboxes';
import { Shield } from './views/shield';
import { inMessage } from './views/words';

/** Windows whose files are inside a container: the sandbox is seen from outside of it. */
const INSIDE = ['dev-container', 'attached-container'];

class Extension {
    private program: string | undefined;
    private reason = '';
    private starting: Promise<void> = Promise.resolve();
    private readonly log = vscode.window.createOutputChannel('sandboxd', { log: true });
    private readonly server = new Server(this.log);
    private readonly feed = new StatusFeed(() => this.program, this.log);

    private readonly logs = new Logs();
    private readonly forwards = new Forwards();
    private readonly changes = new Changes();
    private readonly agents = new Agents(() => this.program, this.feed);
    private readonly ports = new Ports(() => this.program, this.forwards);

    constructor(private readonly subscriptions: vscode.Disposable[]) {
        const view = new Sandboxes(this.feed, this.ports, this.forwards);
        subscriptions.push(
            this.log,
            this.server,
            this.feed,
            this.logs,
            this.changes,
            this.agents,
            this.forwards,
            view,
            new Shield(this.feed),
            vscode.window.registerTreeDataProvider('sandboxd.sandboxes', view),
            this.feed.onDidChange((known) => {
                void setContext('asked', known.status !== undefined);
                void setContext('failed', known.status === undefined && this.program !== undefined && vscode.workspace.isTrusted);
            }),
            vscode.workspace.onDidGrantWorkspaceTrust(() => void this.start()),
            vscode.workspace.onDidChangeConfiguration((event) => {
                if (event.affectsConfiguration('sandboxd.path')) {
                    void this.start();
                }
            }),
        );
        this.registerCommands();
    }

    /** Find the program and start its server; one start after the other. */
    start(): Promise<void> {
        this.starting = this.starting.then(() => this.startNow());
        return this.starting;
    }

    private async startNow(): Promise<void> {
        const found = find('sandboxd', vscode.workspace.getConfiguration('sandboxd').get<string>('path', ''));
        this.program = found.program;
        await setContext('server', found.program === undefined ? 'missing' : 'found');
        if (found.program === undefined) {
            this.reason = found.reason;
            this.log.warn(found.reason);
            await this.server.stop();
            await this.feed.refresh();
            this.offerInstallation();
            return;
        }
        this.log.info(`using ${found.program}, found in ${found.from}`);
        const asked = this.feed.refresh();
        try {
            await this.server.start(found.program);
        } catch (error) {
            this.log.error(`the language server did not start: ${String(error)}`);
            const chosen = await vscode.window.showErrorMessage(inMessage(`sandboxd: the language server did not start: ${found.program}`), 'Show Log');
            if (chosen !== undefined) {
                this.log.show();
            }
        }
        await asked;
    }

    private offerInstallation(): void {
        if (INSIDE.includes(vscode.env.remoteName ?? '')) {
            return;
        }
        void vscode.window
            .showWarningMessage('sandboxd is not installed, so no file is checked.', 'How to Install')
            .then((chosen) => (chosen === undefined ? undefined : install(this.reason)));
    }

    private registerCommands(): void {
        const context: Context = { log: this.log, feed: this.feed, program: () => this.program, tool: (name) => find(name).program };
        const reports = new Reports();
        const changes = new ChangeCommands(context, reports, this.changes);
        const agents = new AgentCommands(context, this.agents, this.logs, changes);
        const trust = new Trust(context, reports);
        const ports = new PortCommands(context, this.ports, this.forwards);
        const commands: Record<string, (argument?: unknown) => unknown> = {
            init: (argument) => init(context, argument),
            generate: (argument) => generate(context, argument),
            up: (argument) => up(context, argument),
            down: (argument) => down(context, argument),
            verify: (argument) => verify(context, reports, argument),
            review: (argument) => changes.review(argument),
            reviewAgain: () => changes.again(),
            openChange: (argument) => changes.open(argument),
            toggleChange: () => this.changes.toggle(),
            bring: () => changes.bring(),
            keepCommits: () => changes.keepCommits(),
            closeReview: () => this.changes.show({ folder: '', name: '' }, undefined),
            agentStart: (argument) => agents.start(argument),
            agentResume: (argument) => agents.resume(argument),
            agentWatch: (argument) => agents.watch(argument),
            agentLogs: (argument) => agents.showOutput(argument),
            agentReview: (argument) => agents.review(argument),
            agentStop: (argument) => agents.stop(argument),
            trust: (argument) => trust.show(argument),
            grant: () => trust.grant(),
            logs: (argument) => showLogs(context, this.logs, argument),
            setUp: (argument) => setUp(argument),
            shell: (argument) => shell(context, argument),
            bench: (argument) => bench(context, reports, argument),
            openPort: (argument) => ports.browse(argument),
            copyPort: (argument) => ports.copy(argument),
            forwardPort: (argument) => ports.forward(argument),
            closePort: (argument) => ports.stop(argument),
            daemonStart: (argument) => daemonStart(context, argument),
            reopen: (argument) => reopen(context, argument),
            refresh: () => this.feed.refresh(),
            menu: () => menu(context),
            install: () => install(this.reason === '' ? 'It was found, so there is nothing to install' : this.reason),
            restart: () => this.start(),
            log: () => this.log.show(),
            walkthrough: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', 'sandboxd.sandboxd#start'),
        };
        this.subscriptions.push(
            agents,
            vscode.workspace.registerTextDocumentContentProvider(SCHEME, reports),
            ...Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`sandboxd.${name}`, run)),
        );
    }
}

function find(name: string, setting = ''): Found | NotFound {
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    return findProgram({ name, setting, environ: process.env, home: os.homedir(), folders, platform: process.platform, disk: DISK });
}

const DISK: Disk = {
    isExecutable(file) {
        try {
            accessSync(file, constants.X_OK);
            return statSync(file).isFile();
        } catch {
            return false;
        }
    },
    real(file) {
        try {
            return realpathSync(file);
        } catch {
            return file;
        }
    },
};

function setContext(name: string, value: unknown): Thenable<unknown> {
    return vscode.commands.executeCommand('setContext', `sandboxd.${name}`, value);
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
    await new Extension(context.subscriptions).start();
}

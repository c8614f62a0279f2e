/** The language server: `sandboxd lsp`, started outside any open folder. */

import * as os from 'node:os';
import * as vscode from 'vscode';
import {
    LanguageClient,
    type CancellationToken,
    type DynamicFeature,
    type ExecuteCommandOptions,
    type LanguageClientOptions,
    type MessageSignature,
    type ServerOptions,
    type StaticFeature,
} from 'vscode-languageclient/node';
import { contributes } from '../package.json';
import patterns from './patterns.json';

/** The commands that package.json contributes. */
const OWN = new Set(contributes.commands.map((item) => item.command));

/** A request that fails is for the log: editors send one with each move of the cursor. */
class QuietClient extends LanguageClient {
    /** A command that the extension has itself (with progress and cancel) is not the server's. */
    override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
        if ('registrationType' in feature && feature.registrationType.method === 'workspace/executeCommand') {
            const commands = feature as DynamicFeature<ExecuteCommandOptions>;
            const register = commands.register.bind(commands);
            commands.register = (data) => {
                const names = data.registerOptions.commands.filter((name) => !OWN.has(name));
                register({ ...data, registerOptions: { ...data.registerOptions, commands: names } });
            };
        }
        super.registerFeature(feature);
    }

    override handleFailedRequest<T>(
        type: MessageSignature,
        token: CancellationToken | undefined,
        error: unknown,
        defaultValue: T,
    ): T {
        return super.handleFailedRequest(type, token, error, defaultValue, false);
    }
}

export class Server implements vscode.Disposable {
    private client: LanguageClient | undefined;
    private readonly trace = vscode.window.createOutputChannel('sandboxd trace', { log: true });

    constructor(private readonly log: vscode.LogOutputChannel) {}

    get isRunning(): boolean {
        return this.client?.isRunning() === true;
    }

    /** Start `program`; a server that runs already is ended first. */
    async start(program: string): Promise<void> {
        await this.stop();
        const server: ServerOptions = {
            command: program,
            // The daemon keeps files of its projects generated: not of one that nobody trusts.
            args: vscode.workspace.isTrusted ? ['lsp', '--stdio'] : ['lsp', '--stdio', '--no-daemon'],
            options: { cwd: os.homedir(), shell: false },
        };
        const client = new QuietClient('sandboxd', 'sandboxd', server, this.options());
        this.client = client;
        await client.start();
        const info = client.initializeResult?.serverInfo;
        this.log.info(`language server ${info?.name ?? ''} ${info?.version ?? ''} runs`);
    }

    async stop(): Promise<void> {
        const client = this.client;
        this.client = undefined;
        if (client?.needsStop() === true) {
            await client.stop().catch((error: unknown) => this.log.warn(String(error)));
        }
        await client?.dispose().catch(() => undefined);
    }

    async dispose(): Promise<void> {
        await this.stop();
        this.trace.dispose();
    }

    private options(): LanguageClientOptions {
        return {
            // By name, since editors disagree about languages; the server leaves alone what is none of its own.
            documentSelector: patterns.map((pattern) => ({ scheme: 'file', pattern })),
            outputChannel: this.log,
            traceOutputChannel: this.trace,
            // Links and commands of what the server says are not run by themselves.
            markdown: { isTrusted: false, supportHtml: false },
            connectionOptions: { maxRestartCount: 4 },
        };
    }
}

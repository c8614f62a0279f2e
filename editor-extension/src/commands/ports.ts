/** Ports: open one in the browser, copy its address, forward one, stop that. By a click, or chosen from a list. */

import * as vscode from 'vscode';
import type { Forwards } from '../ports/forwards';
import { browsable, merge, typed, wish, type Port } from '../ports/model';
import { projectOf } from '../status/feed';
import { PortLine, type Ports } from '../views/ports';
import { inMessage, visible } from '../views/words';
import { folderOf, programFor, tellFailure, type Context } from './context';

interface Chosen {
    folder: string;
    port: Port;
}

export class PortCommands {
    constructor(
        private readonly context: Context,
        private readonly ports: Ports,
        private readonly forwards: Forwards,
    ) {}

    /** Open it in the user's browser. */
    async browse(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Open which port?', (port) => browsable(port.address) !== undefined);
        const address = browsable(chosen?.port.address ?? null);
        if (address !== undefined) {
            await vscode.env.openExternal(vscode.Uri.parse(address, true));
        }
    }

    async copy(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Copy the address of which port?', (port) => port.address !== null);
        const address = chosen?.port.address;
        if (address != null) {
            await vscode.env.clipboard.writeText(address);
            void vscode.window.setStatusBarMessage(`Copied: ${visible(address)}`, 5000);
        }
    }

    async stop(argument: unknown): Promise<void> {
        const chosen = await this.choose(argument, 'Stop forwarding which port?', (port) => port.isOurs);
        if (chosen !== undefined) {
            this.forwards.close(chosen.folder, chosen.port);
        }
    }

    /** Forward a port that listens inside, or one that is typed. */
    async forward(argument: unknown): Promise<void> {
        const program = programFor(this.context);
        const folder = argument instanceof PortLine ? argument.folder : folderOf(argument);
        if (program === undefined || folder === undefined) {
            return;
        }
        const port = argument instanceof PortLine ? wish(argument.port) : await this.asked(folder);
        if (port === undefined) {
            return;
        }
        this.context.log.info(`$ sandboxd forward ${port}  (in ${folder})`);
        try {
            const failed = (message: string): void => void tellFailure(this.context, `port ${port} is no longer forwarded: ${message}`, '');
            const { address } = await this.forwards.open(program, folder, port, failed);
            const buttons = browsable(address) === undefined ? ['Copy Address'] : ['Open in Browser', 'Copy Address'];
            const chosen = await vscode.window.showInformationMessage(inMessage(`sandboxd: port ${port} is open at ${address}`), ...buttons);
            if (chosen === 'Open in Browser') {
                await vscode.env.openExternal(vscode.Uri.parse(address, true));
            } else if (chosen !== undefined) {
                await vscode.env.clipboard.writeText(address);
            }
        } catch (error) {
            void tellFailure(this.context, error instanceof Error ? error.message : String(error), '');
        }
    }

    private async asked(folder: string): Promise<string | undefined> {
        const closed = (await this.all(folder)).filter((port) => port.address === null);
        if (closed.length > 0) {
            const other = { label: '$(edit) Another port...', port: undefined };
            const chosen = await vscode.window.showQuickPick([...closed.map(item), other], { title: 'Forward which port?' });
            if (chosen === undefined || chosen.port !== undefined) {
                return chosen?.port === undefined ? undefined : wish(chosen.port);
            }
        }
        const text = await vscode.window.showInputBox({
            title: 'Forward a Port',
            prompt: '3000, 3000:8080 for port 8080 here, or db:5432 for the service db',
            validateInput: (value) => (typed(value) === undefined ? 'A number, such as 3000' : undefined),
        });
        return text === undefined ? undefined : typed(text);
    }

    private async choose(argument: unknown, title: string, fits: (port: Port) => boolean): Promise<Chosen | undefined> {
        if (argument instanceof PortLine) {
            return { folder: argument.folder, port: argument.port };
        }
        const folder = folderOf(argument);
        if (folder === undefined || programFor(this.context) === undefined) {
            return undefined;
        }
        const ports = (await this.all(folder)).filter(fits);
        if (ports.length === 0) {
            void vscode.window.showInformationMessage('sandboxd: no such port is open. "sandboxd: Forward Port" opens one.');
            return undefined;
        }
        const chosen = await vscode.window.showQuickPick(ports.map(item), { title });
        return chosen === undefined ? undefined : { folder, port: chosen.port };
    }

    private async all(folder: string): Promise<Port[]> {
        const { status } = this.context.feed.known;
        const project = status === undefined ? undefined : projectOf(status, folder);
        const { listening } = await this.ports.listening({ path: folder });
        const path = project?.path ?? folder;
        return merge(project?.openPorts ?? [], this.forwards.of(path), listening);
    }
}

function item(port: Port): vscode.QuickPickItem & { port: Port } {
    const name = [port.label, port.program].filter((text) => text !== '').join(', ');
    return { label: wish(port), description: visible([port.address ?? 'listens inside', name].filter(Boolean).join('  ')), port };
}

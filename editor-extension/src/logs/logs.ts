/** The output of sandboxes, each in a channel that follows it until the sandbox or the window ends. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { run } from '../process';
import { PlainText } from './text';

const LINES = '1000';
/** Characters in one channel: the editor keeps them in a file, and a sandbox can write without end. */
const MOST_TEXT = 16 * 1024 * 1024;

interface Followed {
    channel: vscode.OutputChannel;
    /** undefined while nothing is followed. */
    stop: vscode.CancellationTokenSource | undefined;
    isClosed: boolean;
}

export class Logs implements vscode.Disposable {
    private readonly all = new Map<string, Followed>();

    /** Show the output of the sandbox of `folder`, or of the one of that name beside it, and follow it. */
    show(program: string, folder: string, name = ''): void {
        const key = `${folder}\0${name}`;
        const followed = this.all.get(key) ?? { channel: vscode.window.createOutputChannel(title(folder, name)), stop: undefined, isClosed: false };
        this.all.set(key, followed);
        followed.channel.show();
        if (followed.stop === undefined) {
            void follow(followed, program, folder, name);
        }
    }

    dispose(): void {
        for (const followed of this.all.values()) {
            followed.isClosed = true;
            followed.stop?.cancel();
            followed.channel.dispose();
        }
        this.all.clear();
    }
}

function title(folder: string, name: string): string {
    return `sandbox: ${path.basename(folder)}${name === '' ? '' : ` (${name})`}`;
}

async function follow(followed: Followed, program: string, folder: string, name: string): Promise<void> {
    const { channel } = followed;
    const stop = new vscode.CancellationTokenSource();
    followed.stop = stop;
    channel.clear();
    const plain = new PlainText();
    let size = 0;
    let isNewLine = true;
    const onText = (piece: string): void => {
        const text = plain.feed(piece);
        size += text.length;
        if (text === '' || stop.token.isCancellationRequested) {
            return;
        }
        channel.append(text);
        isNewLine = text.endsWith('\n');
        if (size > MOST_TEXT) {
            stop.cancel();
        }
    };
    const args = ['logs', '--follow', '--tail', LINES, ...(name === '' ? [] : ['--name', name])];
    const ended = await run(program, args, { cwd: folder, cancel: stop.token, onText }).then(
        ({ code }) => (code === 0 ? 'the sandbox ended' : 'nothing is followed'),
        (error: Error) => error.message,
    );
    followed.stop = undefined;
    stop.dispose();
    const why = size > MOST_TEXT ? `more than ${MOST_TEXT >> 20} MiB, so it is no longer followed` : ended;
    if (!followed.isClosed) {
        channel.appendLine(`${isNewLine ? '' : '\n'}-- sandboxd: ${why}; "sandboxd: Show Logs of Sandbox" looks again`);
    }
}

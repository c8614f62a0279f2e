/** Listening to a running daemon: it tells of each change, so that nobody has to ask often. */

import * as vscode from 'vscode';
import { run } from '../process';

export class Watch implements vscode.Disposable {
    private running: vscode.CancellationTokenSource | undefined;

    /** `changed` is called for each event after the daemon's first answer. */
    constructor(private readonly changed: () => void) {}

    get isListening(): boolean {
        return this.running !== undefined;
    }

    /** Listen until the daemon ends; does nothing when it listens already. */
    start(program: string, cwd: string): void {
        if (this.running !== undefined) {
            return;
        }
        const source = new vscode.CancellationTokenSource();
        this.running = source;
        const ended = (): void => {
            if (this.running === source) {
                this.running = undefined;
                this.changed();
            }
            source.dispose();
        };
        run(program, ['status', '--watch', '--json'], {
            cwd,
            cancel: source.token,
            onLine: (line) => {
                if (line.startsWith('{"type": "event"')) {
                    this.changed();
                }
            },
        }).then(ended, ended);
    }

    dispose(): void {
        const source = this.running;
        this.running = undefined;
        source?.cancel();
    }
}

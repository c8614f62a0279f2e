/** The config of a project's dev container, and the address of its folder inside by that config and no other. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import * as path from 'node:path';

/**
 * The config that `sandboxd generate --json` says is the sandbox, undefined where it says none. A file that only looks
 * like one may be the repository's.
 */
export function generatedFile(answer: string): string | undefined {
    const { version, project, config } = JSON.parse(answer) as Record<string, unknown>;
    return version === 1 && typeof project === 'string' && typeof config === 'string' ? path.join(project, config) : undefined;
}

/** The configs in `folder` among which Dev Containers has a person choose. */
export function configsIn(folder: string): string[] {
    const below = path.join(folder, '.devcontainer');
    const names = existsSync(below) ? readdirSync(below).map((name) => path.join(below, name, 'devcontainer.json')) : [];
    const files = [path.join(folder, '.devcontainer.json'), path.join(below, 'devcontainer.json'), ...names];
    return files.filter(isFile);
}

function isFile(file: string): boolean {
    try {
        return statSync(file).isFile();
    } catch {
        return false;
    }
}

export interface DevContainer {
    /** What follows `vscode-remote://`. */
    authority: string;
    /** The folder inside. */
    folder: string;
}

/**
 * Where Dev Containers opens `folder` with the file `config`, whose text is `text`.
 *
 * The form is that of the extension's own windows: after `dev-container+` stands JSON in hexadecimal, with the folder
 * on this machine and the address of the config. It is not documented; without `configFile` the user is asked for one
 * of the configs that are there, a hand-written one among them.
 */
export function devContainer(folder: string, config: string, text: string): DevContainer {
    const subject = JSON.stringify({ hostPath: folder, configFile: { scheme: 'file', path: config } });
    const named = /^\s*"workspaceFolder":\s*("(?:[^"\\]|\\.)*")/m.exec(text)?.[1];
    return {
        authority: `dev-container+${Buffer.from(subject).toString('hex')}`,
        folder: named === undefined ? `/workspaces/${path.basename(folder)}` : (JSON.parse(named) as string),
    };
}

/** The address of a folder within its dev container, by the config that is named and no other. */

import * as path from 'node:path';

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

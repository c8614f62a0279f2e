/** What a grant gives away, as two texts that are laid beside each other. */

import { visible } from './words';

/** The answer of `sandboxd trust add --json`. Its texts are the repository's. */
export interface Request {
    version: number;
    project: string;
    digest: string;
    needs_grant: boolean;
    granted: boolean;
    changes: { control: string; before: string | null; after: string }[];
}

/** Without the grant, and with it: each control on a line, what it is then below it. */
export function sides(request: Request): { before: string; after: string } {
    const head = `# Without the grant, and with it until a file changes\n# ${visible(request.project)}\n`;
    const block = (control: string, value: string): string => `\n${visible(control)}\n    ${visible(value)}\n`;
    return {
        before: head + request.changes.map(({ control, before }) => block(control, before ?? 'not given')).join(''),
        after: head + request.changes.map(({ control, after }) => block(control, after)).join(''),
    };
}

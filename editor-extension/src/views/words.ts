/** Text for hovers and pages. What comes from a workspace or a sandbox is never read as markup. */

/** `text` as plain text in Markdown, also inside a table. */
export function plain(text: string): string {
    return text
        .replace(/[\\`*_{}[\]()#+\-.!|~$]/g, '\\$&')
        .replace(/&/g, '&amp;')
        .replace(/</g, '&lt;')
        .replace(/>/g, '&gt;')
        .replace(/\s+/g, ' ');
}

/** `text` on one line, in which nothing is hidden or turns the reading direction: such characters are shown by number. */
export function visible(text: string): string {
    return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** `text` for a notification, in which `[label](command:...)` would be a button. */
export function inMessage(text: string): string {
    return text.replaceAll('](', '] (');
}

/** `hint` without its backticks: what is left can be pasted or read. */
export function unquoted(hint: string): string {
    return hint.replaceAll('`', '');
}

/** A Markdown table of `rows` under `head`; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The settings asked for and in force, row by row; a dash where nothing was observed. */
export function compare(
    asked: Readonly<Record<string, string>> | null,
    inForce: Readonly<Record<string, string>> | null,
): { name: string; asked: string; inForce: string; differs: boolean }[] {
    const names = [...new Set([...Object.keys(asked ?? {}), ...Object.keys(inForce ?? {})])];
    return names.map((name) => {
        const wanted = asked?.[name] ?? '–';
        const real = inForce?.[name] ?? '–';
        return { name, asked: wanted, inForce: real, differs: asked !== null && inForce !== null && wanted !== real };
    });
}

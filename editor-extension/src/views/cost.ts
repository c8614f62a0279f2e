/** The page of one `sandboxd bench --json`, as Markdown for VS Code's own preview. */

import { plain, table } from './words';

export interface Figure {
    milliseconds: number | null;
    ratio: number | null;
    why: string;
}

export interface Cost {
    project: string;
    when: string;
    rounds: number;
    base: string;
    variants: { name: string; title: string; runtime: string }[];
    left_out: string[];
    rows: { title: string; unit: string; figures: Record<string, Figure> }[];
}

/** The page; everything in it that comes from the project is plain text. */
export function costPage(cost: Cost, folder: string): string {
    const base = cost.variants.find((variant) => variant.name === cost.base)?.title ?? cost.base;
    const head = ['work', ...cost.variants.map((variant) => plain(variant.title))];
    const rows = cost.rows.map((row) => [
        `**${plain(row.title)}** (${plain(row.unit)})`,
        ...cost.variants.map((variant) => cell(row.figures[variant.name], variant.name === cost.base)),
    ]);
    return [
        '# What the sandbox costs',
        `${plain(folder)}: medians of ${cost.rounds} rounds, taken at ${plain(cost.when)}; × is against ${plain(base)}, within the same round.`,
        table(head, rows),
        ...cost.left_out.map((words) => `Not measured: ${plain(words)}`),
    ].join('\n\n');
}

function cell(figure: Figure | undefined, base: boolean): string {
    if (figure === undefined || figure.milliseconds === null) {
        return `not measured${figure === undefined || figure.why === '' ? '' : `: ${plain(figure.why)}`}`;
    }
    const time = figure.milliseconds >= 1000 ? `${(figure.milliseconds / 1000).toFixed(2)} s` : `${figure.milliseconds.toFixed(2)} ms`;
    return base || figure.ratio === null ? time : `${time}, ${figure.ratio.toFixed(2)} ×`;
}

/** The controls of a running sandbox in the order of their weight; what says the same of many files is one. */

import type { Control, Project, Seen } from './model';

/** What needs a look comes first. */
export const ORDER: readonly Seen[] = ['not in force', 'not seen', 'open', 'left out', 'in force'];

const READ_ONLY = 'read-only ';

/** The controls in that state; files that are seen read-only are one control with their names. */
export function inState(project: Project, state: Seen): Control[] {
    const controls = (project.inForce?.controls ?? []).filter((control) => control.state === state);
    const files = controls.filter((control) => control.name.startsWith(READ_ONLY));
    if (state !== 'in force' || files.length < 2) {
        return controls;
    }
    const names = files.map((control) => control.name.slice(READ_ONLY.length));
    const one: Control = { name: `${files.length} control files read-only`, state, why: names.join(', ') };
    const at = controls.indexOf(files[0]!);
    const others = controls.filter((control) => !files.includes(control));
    return [...others.slice(0, at), one, ...others.slice(at)];
}

/** What the plan cannot have here, and no control speaks of. */
export function lostByPlan(project: Project): Control[] {
    const known = new Set((project.inForce?.controls ?? []).map((control) => control.name));
    return project.downgrades
        .map((text): Control => {
            const colon = text.indexOf(': ');
            return { name: text.slice(0, colon), state: 'not in force', why: text.slice(colon + 2) };
        })
        .filter((control) => !known.has(control.name));
}

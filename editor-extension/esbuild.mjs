// One file for the extension; `--tests` bundles the unit tests instead, `--watch` builds on each save.
import { copyFileSync, readdirSync } from 'node:fs';
import { context, build } from 'esbuild';

const has = (flag) => process.argv.includes(flag);

const common = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
};

const extension = {
    ...common,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
    minify: has('--production'),
    sourcemap: !has('--production'),
};

// Only what needs no editor is tested without one.
const tests = {
    ...common,
    entryPoints: readdirSync('test').map((name) => `test/${name}`),
    outdir: 'dist-test',
};

if (has('--watch')) {
    await (await context({ ...extension, logLevel: 'info' })).watch();
} else {
    await build(has('--tests') ? tests : extension);
}
if (has('--production')) {
    copyFileSync('../LICENSE', 'LICENSE');
}

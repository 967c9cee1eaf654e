// Runs the vault's vectors in WASM: under Node, and in a browser where one is named. Exits with 1 where a vector does not hold.
//
//   node run.mjs medlock_vault_wasm.wasm [CHROMIUM]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Runs in a page as well: it uses nothing from outside.
function check(bytes) {
    // The module asks nothing of its host.
    const module = new WebAssembly.Module(bytes);
    function run(spoil) {
        const { exports } = new WebAssembly.Instance(module, {});
        const { run, spoiled, message_at, message_bytes, memory } = exports;
        let held = null;
        try {
            held = run(spoil ?? spoiled());
        } catch (error) {
            if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        }
        const message = new TextDecoder().decode(new Uint8Array(memory.buffer, message_at(), message_bytes()));
        return { held, message, spoiled: spoiled() };
    }
    const { held, message, spoiled } = run();
    if (!held) return { message, fault: 'see above' };
    for (let spoil = 0; spoil < spoiled; spoil++) {
        const { held, message: said } = run(spoil);
        if (held !== null || !said.includes('panicked at')) return { message, fault: `the vectors held with place ${spoil} altered` };
    }
    return { message, held, spoiled };
}

function tell({ message, fault, held, spoiled }, where) {
    process.stdout.write(message);
    if (fault) {
        console.error(`vectors in WASM: FAILED in ${where}: ${fault}`);
        process.exit(1);
    }
    console.log(`vectors in WASM: ${held} cases held, and ${spoiled} alterations were found, in ${where}`);
}

async function inBrowser(bytes, executablePath) {
    const tools = process.env.MEDLOCK_TOOLS ? pathToFileURL(`${process.env.MEDLOCK_TOOLS}/`) : new URL('../../.tools/', import.meta.url);
    // As tools/setup-node.sh installs it, which is not where Node looks.
    const { chromium } = createRequire(new URL('node/package.json', tools))('playwright-core');
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
        const page = await browser.newPage();
        const decoded = `Uint8Array.from(atob(${JSON.stringify(bytes.toString('base64'))}), (letter) => letter.charCodeAt(0))`;
        tell(await page.evaluate(`(${check})(${decoded})`), `Chromium ${browser.version()}`);
    } finally {
        await browser.close();
    }
}

const [file, executablePath] = process.argv.slice(2);
const bytes = readFileSync(file);
tell(check(bytes), `Node ${process.version}`);
if (executablePath) await inBrowser(bytes, executablePath);

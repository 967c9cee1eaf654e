// Runs the vault's vectors in WASM: `node run.mjs medlock_vault_wasm.wasm`. Exits with 1 where a vector does not hold.
import { readFileSync } from 'node:fs';

// The module asks nothing of its host.
const module = new WebAssembly.Module(readFileSync(process.argv[2]));

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
process.stdout.write(message);
if (!held) {
    console.error('vectors in WASM: FAILED, see above');
    process.exit(1);
}
for (let spoil = 0; spoil < spoiled; spoil++) {
    const { held, message } = run(spoil);
    if (held !== null || !message.includes('panicked at')) {
        console.error(`vectors in WASM: FAILED: the vectors held with place ${spoil} altered`);
        process.exit(1);
    }
}
console.log(`vectors in WASM: ${held} cases held, and ${spoiled} alterations were found, under Node ${process.version}`);

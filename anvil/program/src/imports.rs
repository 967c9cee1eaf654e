//! What a program may import.

use wasmparser::ValType;

/// The only module that a program may import from.
pub const HOOKS_MODULE: &str = "vm_hooks";
/// The hook that every program with growable memory imports.
pub const PAY_FOR_MEMORY_GROW: &str = "pay_for_memory_grow";

/// Name, parameters and results of every hook; `i` is i32, `I` is i64.
const HOOKS: [(&str, &str, &str); 42] = [
    ("read_args", "i", ""),
    ("write_result", "ii", ""),
    ("exit_early", "i", ""),
    ("storage_load_bytes32", "ii", ""),
    ("storage_cache_bytes32", "ii", ""),
    ("storage_flush_cache", "i", ""),
    ("transient_load_bytes32", "ii", ""),
    ("transient_store_bytes32", "ii", ""),
    ("call_contract", "iiiiIi", "i"),
    ("delegate_call_contract", "iiiIi", "i"),
    ("static_call_contract", "iiiIi", "i"),
    ("create1", "iiiii", ""),
    ("create2", "iiiiii", ""),
    ("read_return_data", "iii", "i"),
    ("return_data_size", "", "i"),
    ("emit_log", "iii", ""),
    ("account_balance", "ii", ""),
    ("account_codehash", "ii", ""),
    ("account_code", "iiii", "i"),
    ("account_code_size", "i", "i"),
    ("block_basefee", "i", ""),
    ("block_coinbase", "i", ""),
    ("contract_address", "i", ""),
    ("msg_sender", "i", ""),
    ("msg_value", "i", ""),
    ("tx_gas_price", "i", ""),
    ("tx_origin", "i", ""),
    ("block_gas_limit", "", "I"),
    ("block_number", "", "I"),
    ("block_timestamp", "", "I"),
    ("chainid", "", "I"),
    ("evm_gas_left", "", "I"),
    ("evm_ink_left", "", "I"),
    ("msg_reentrant", "", "i"),
    ("tx_ink_price", "", "i"),
    ("math_div", "ii", ""),
    ("math_mod", "ii", ""),
    ("math_pow", "ii", ""),
    ("math_add_mod", "iii", ""),
    ("math_mul_mod", "iii", ""),
    ("native_keccak256", "iii", ""),
    (PAY_FOR_MEMORY_GROW, "i", ""),
];

/// Parameters and results of a hook, or `None` where there is no such hook.
pub fn signature(name: &str) -> Option<(Vec<ValType>, Vec<ValType>)> {
    let types = |text: &str| {
        text.chars()
            .map(|c| if c == 'I' { ValType::I64 } else { ValType::I32 })
            .collect()
    };
    HOOKS
        .iter()
        .find(|hook| hook.0 == name)
        .map(|(_, params, results)| (types(params), types(results)))
}

/// The names of all hooks.
pub fn names() -> impl Iterator<Item = &'static str> {
    HOOKS.iter().map(|hook| hook.0)
}

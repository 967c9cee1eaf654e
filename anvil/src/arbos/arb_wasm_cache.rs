//! ArbWasmCache (0x72): programs that are kept ready, so that calling them costs less.
//!
//! As on Nitro, the chain's owner and the cache managers may change the cache. The owner is alice, the one manager the
//! CacheManager contract of genesis, which caches for whoever bids.

use alloy::sol_types::{SolCall, SolInterface};
use revm::{Database, context::ContextTr, primitives::B256};

use super::{
    Answer, CHAIN_OWNER, Call, Failure, Purity, abi, arb_wasm::inactive, genesis::CACHE_MANAGER, info::PARAMETERS_GAS,
};
use crate::stylus::programs::{self, Inactive};

pub(super) fn answer<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbWasmCache as A;
    use abi::ArbWasmCache::ArbWasmCacheCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    call.begin(match method {
        C::cacheProgram(_) | C::evictCodehash(_) => Purity::Write,
        _ => Purity::View,
    })?;
    Ok(match method {
        C::isCacheManager(method) => {
            call.burn_reads(1)?;
            A::isCacheManagerCall::abi_encode_returns(&(method.manager == CACHE_MANAGER))
        }
        C::allCacheManagers(_) => {
            call.burn_reads(2)?;
            A::allCacheManagersCall::abi_encode_returns(&vec![CACHE_MANAGER])
        }
        C::codehashIsCached(method) => {
            call.burn_reads(1)?;
            let entry = programs::load(call.ctx.journal_mut(), method.codehash)?;
            A::codehashIsCachedCall::abi_encode_returns(&entry.cached)
        }
        C::cacheProgram(method) => {
            let code_hash = call.code_hash(method.addr)?;
            set_cached(call, code_hash, true)?
        }
        C::evictCodehash(method) => set_cached(call, method.codehash, false)?,
    })
}

fn set_cached<DB: Database>(call: &mut Call<'_, DB>, code_hash: B256, cached: bool) -> Answer<DB> {
    call.burn_reads(1)?;
    if call.caller != CACHE_MANAGER {
        call.burn_reads(1)?;
        if call.caller != CHAIN_OWNER {
            return Err(Failure::Refused);
        }
    }
    call.burn(PARAMETERS_GAS)?;
    call.burn_reads(1)?;
    let mut entry = programs::load(call.ctx.journal_mut(), code_hash)?;
    if cached {
        match entry.check(call.now()) {
            Ok(_) => {}
            // Nitro does not tell a program that was never activated from one of another version here.
            Err(Inactive::NotActivated) => return Err(inactive(Inactive::NeedsUpgrade(0))),
            Err(other) => return Err(inactive(other)),
        }
    }
    if entry.cached == cached {
        return Ok(Vec::new());
    }
    call.emit(&abi::ArbWasmCache::UpdateProgramCache {
        manager: call.caller,
        codehash: code_hash,
        cached,
    })?;
    call.burn(entry.init_cost.into())?;
    call.burn_reads(1)?;
    entry.cached = cached;
    call.burn(super::WRITE_GAS)?;
    programs::store(call.ctx.journal_mut(), code_hash, &entry)?;
    Ok(Vec::new())
}

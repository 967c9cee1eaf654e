//! A local chain with a funded account that deploys.
use alloy::{
    network::EthereumWallet,
    primitives::Address,
    providers::{Provider, ProviderBuilder},
};

/// The chain, a provider that signs for its first account, and that account.
pub async fn chain() -> (medlock_anvil::Handle, impl Provider + Clone, Address) {
    let chain = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
    let signer = chain.accounts()[0].signer.clone();
    let owner = signer.address();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::new(signer))
        .connect_http(chain.url().parse().unwrap());
    (chain, provider, owner)
}

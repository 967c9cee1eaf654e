//! A local chain with a funded account that deploys.
use alloy::{
    network::EthereumWallet,
    providers::{Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};

/// The chain, a provider that signs for its first account, and that account's key.
pub async fn chain() -> (medlock_anvil::Handle, impl Provider + Clone, PrivateKeySigner) {
    let chain = medlock_anvil::spawn(medlock_anvil::Config::default()).await.unwrap();
    let signer = chain.accounts()[0].signer.clone();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::new(signer.clone()))
        .connect_http(chain.url().parse().unwrap());
    (chain, provider, signer)
}

//! What a node of Arbitrum answers to calls of NodeInterface (0xc8), and block hashes by number.

use alloy::sol_types::SolCall;
use medlock_anvil::arbos::ARB_SYS;
use medlock_anvil::arbos::abi::{ArbSys, NodeInterface as N};

use super::*;

const NODE_INTERFACE: Address = Address::with_last_byte(0xc8);

async fn ask<C: SolCall>(provider: &DynProvider, to: Address, call: C) -> C::Return {
    let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
    C::abi_decode_returns(&provider.call(request).block(BlockId::latest()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn node_interface_estimates_as_the_chain_does_and_knows_no_l1_costs() {
    let handle = chain().await;
    let provider = provider(&handle, 0);
    let bell = deploy_bell(&provider).await;
    let request = TransactionRequest::default().with_to(bell);
    let expected = provider.estimate_gas(request).await.unwrap();
    let about = |to: Address| N::gasEstimateComponentsCall {
        to,
        contractCreation: false,
        data: Bytes::new(),
    };
    let parts = ask(&provider, NODE_INTERFACE, about(bell)).await;
    assert_eq!((parts.gasEstimate, parts.gasEstimateForL1), (expected, 0));
    assert_eq!(
        (parts.baseFee, parts.l1BaseFeeEstimate),
        (U256::from(100_000_000), U256::ZERO)
    );
    let l1 = N::gasEstimateL1ComponentCall {
        to: bell,
        contractCreation: false,
        data: Bytes::new(),
    };
    assert_eq!(ask(&provider, NODE_INTERFACE, l1).await.gasEstimateForL1, 0);

    // The L1 number that the node tells is the one that contracts see.
    let head = provider.get_block_number().await.unwrap();
    let number = ask(&provider, NODE_INTERFACE, N::blockL1NumCall { l2BlockNum: head }).await;
    let range = ask(&provider, NODE_INTERFACE, N::l2BlockRangeForL1Call { blockNum: number }).await;
    assert!((range.firstBlock..=range.lastBlock).contains(&head));
    let block = provider.get_block_by_number(head.into()).await.unwrap().unwrap();
    assert_eq!(number, block.header.timestamp / 12);
    let unknown = TransactionRequest::default()
        .with_to(NODE_INTERFACE)
        .with_input(vec![1, 2, 3, 4]);
    assert!(
        provider
            .call(unknown)
            .await
            .unwrap_err()
            .to_string()
            .contains("execution reverted")
    );
}

#[tokio::test]
async fn arb_sys_knows_the_hashes_of_this_chains_blocks() {
    let handle = chain().await;
    let provider = provider(&handle, 0);
    deploy_bell(&provider).await;
    let head = provider.get_block_number().await.unwrap();
    assert_eq!(
        ask(&provider, ARB_SYS, ArbSys::arbBlockNumberCall {}).await,
        U256::from(head)
    );
    let before = provider.get_block_by_number((head - 1).into()).await.unwrap().unwrap();
    let call = ArbSys::arbBlockHashCall {
        arbBlockNum: U256::from(head - 1),
    };
    assert_eq!(ask(&provider, ARB_SYS, call).await, before.header.hash);
}

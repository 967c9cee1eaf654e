use super::*;
use crate::{Counters, Finality, Head, source::EndpointState};
use alloy::primitives::B256;
use std::{collections::BTreeSet, sync::Arc, time::SystemTime};
use tokio::time::Instant;

fn seen(chain_head: u64) -> Seen {
    let endpoint = |label: &str, leads| EndpointState {
        label: label.into(),
        healthy: leads,
        leads,
        trouble: None,
    };
    let head = Head {
        number: 100,
        hash: B256::ZERO,
        time: 1,
        finality: Finality::Latest,
    };
    Seen {
        progress: Some(Progress {
            started: SystemTime::now(),
            chain_head,
            indexed: head.number,
            safe: None,
            finalized: None,
            counters: Counters::default(),
            traffic: Arc::default(),
            endpoints: vec![
                endpoint("https://one.example", true),
                endpoint("a \"bad\\\nname", false),
            ],
            standby: false,
            trouble: None,
            trouble_since: None,
            stopped: None,
        }),
        status: Ok(Status {
            head,
            chain_head: chain_head.max(head.number),
            lag_blocks: chain_head.saturating_sub(head.number),
            standby: false,
            trouble: None,
            stopped: None,
        }),
    }
}

#[test]
fn ready_is_what_follows_the_chain_and_says_why_it_is_not() {
    assert_eq!(unready(&seen(164), 64), None);
    assert!(unready(&seen(165), 64).unwrap().contains("65 blocks behind"));
    // Its own block is not a look at the chain.
    assert!(unready(&seen(0), 64).unwrap().contains("no node has told"));

    let mut standby = seen(0);
    standby.progress.as_mut().unwrap().standby = true;
    assert_eq!(unready(&standby, 64), None);
    standby.status = Err("gone".into());
    assert_eq!(unready(&standby, 64).unwrap(), "gone");

    let mut troubled = seen(100);
    let progress = troubled.progress.as_mut().unwrap();
    progress.trouble = Some("the node is pruned".into());
    progress.trouble_since = Some(Instant::now());
    assert_eq!(unready(&troubled, 64), None);
    let long_ago = Instant::now().checked_sub(TROUBLE_MOST + Duration::from_secs(1));
    troubled.progress.as_mut().unwrap().trouble_since = Some(long_ago.unwrap());
    assert!(unready(&troubled, 64).unwrap().contains("the node is pruned"));

    let mut stopped = seen(100);
    stopped.progress.as_mut().unwrap().stopped = Some("reorg past finality".into());
    assert!(unready(&stopped, 64).unwrap().contains("reorg past finality"));
}

/// By the grammar of the format: what describes a family stands once, before its values.
#[test]
fn every_line_of_the_metrics_is_well_formed() {
    let text = exposition(&seen(120));
    assert!(text.ends_with('\n'));
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && !help.is_empty() && helped.insert(name), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name) && typed.insert(name), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<u64>().unwrap();
            let name = series.split('{').next().unwrap();
            assert!(is_name(name) && typed.contains(name), "{line}");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{line}");
            }
        }
    }
    assert!(text.contains("medlock_index_lag_blocks 20\n"));
    assert!(text.contains("medlock_index_endpoint_up{host=\"https://one.example\"} 1\n"));
    assert!(text.contains(r#"{host="a \"bad\\\nname"} 0"#), "{text}");
}

//! What providers mean by the errors that they spell out. Pure.
//!
//! JSON-RPC has no words for "too much at once", so each provider has its own. What is not understood is taken for the
//! least harmful: where a range was asked for, a smaller one may be answered.
use serde_json::Value;
use std::time::Duration;

/// What an error response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Too many requests; come back after so long, where that was said.
    RateLimit(Option<Duration>),
    /// Too many blocks, or too many logs in them.
    TooMuch(Hint),
    /// The node has no such method, or does not serve it to us.
    Unsupported,
    /// The node threw old data away.
    Pruned,
    Other,
}

/// What a provider suggests to ask for instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// At most so many blocks.
    Blocks(u64),
    /// At most so many logs.
    Logs(u64),
    /// From the same block up to this one.
    UpTo(u64),
    None,
}

/// `asked`: the first and last block of the range that was asked for, if one was.
pub fn read(code: i64, message: &str, data: &Value, asked: Option<(u64, u64)>) -> Meaning {
    let said = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "missing trie node",
        "pruned",
        "ancient block",
        "state is not available",
        "history is not available",
    ]) {
        return Meaning::Pruned;
    }
    // 429 is what HTTP says; -32029 and -32016 are rate limits wherever they are used, -32005 only by its words.
    if matches!(code, 429 | -32029 | -32016)
        || says(&[
            "rate limit",
            "rate exceeded",
            "ratelimit",
            "too many requests",
            "per second",
            "throughput",
            "compute units",
            "request count",
            "requests limit",
            "quota",
        ])
    {
        return Meaning::RateLimit(pause(data));
    }
    if code == -32601
        || says(&[
            "does not exist/is not available",
            "method not found",
            "unsupported method",
        ])
    {
        return Meaning::Unsupported;
    }
    let Some((from, to)) = asked else {
        return Meaning::Other;
    };
    let blocks = to - from + 1;
    if let Some(last) = suggested(&said, data)
        && (from..to).contains(&last)
    {
        return Meaning::TooMuch(Hint::UpTo(last));
    }
    if says(&["result", "logs returned", "response size", "more than"]) && !says(&["block range", "blocks range"]) {
        let limit = numbers(&said).into_iter().filter(|n| *n > 1).max();
        return Meaning::TooMuch(limit.map_or(Hint::None, Hint::Logs));
    }
    if says(&["range", "blocks"]) {
        // The bound is below what was asked for; block numbers in the message mostly are not.
        let limit = numbers(&said).into_iter().filter(|n| (1..=blocks).contains(n)).max();
        // A bound that was kept is one less than it says.
        let limit = limit.map(|n| if n == blocks { n - 1 } else { n });
        return Meaning::TooMuch(limit.filter(|n| *n > 0).map_or(Hint::None, Hint::Blocks));
    }
    Meaning::TooMuch(Hint::None)
}

/// How long the error's data say to wait: `{"rate": {"backoff_seconds": 30}}`, `{"retry_after": 2}`.
fn pause(data: &Value) -> Option<Duration> {
    let seconds = [
        &data["rate"]["backoff_seconds"],
        &data["backoff_seconds"],
        &data["retry_after"],
        &data["retryAfter"],
        &data["try_again_in"],
    ]
    .into_iter()
    .find_map(Value::as_f64)?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The last block of a suggested range: `[0x1, 0x2]` or `range 1-2` in the message, or `{from, to}` beside it.
fn suggested(said: &str, data: &Value) -> Option<u64> {
    let hex = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    let beside = data["to"].as_str().and_then(hex);
    let bracketed = || {
        let inside = said.rsplit_once('[')?.1.split_once(']')?.0;
        hex(inside.split_once(',')?.1)
    };
    let dashed = || {
        let words = said.split_once("retry with the range ")?.1;
        let last = words.split_once('-')?.1;
        let digits = last.find(|c: char| !c.is_ascii_digit()).unwrap_or(last.len());
        last[..digits].parse().ok()
    };
    beside.or_else(bracketed).or_else(dashed)
}

/// The decimal numbers of a text: `10,000`, `10000` and `10k` are the same.
fn numbers(said: &str) -> Vec<u64> {
    let plain = said.replace(',', "");
    let mut found = Vec::new();
    for word in plain.split(|c: char| !c.is_ascii_alphanumeric()) {
        let (digits, times) = match word.strip_suffix('k') {
            Some(digits) => (digits, 1_000),
            None => (word, 1),
        };
        if let Ok(number) = digits.parse::<u64>() {
            found.push(number.saturating_mul(times));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn providers_are_understood() {
        let asked = Some((1_000, 100_999));
        let none = Value::Null;
        let too_much = |code, message: &str, data: &Value| match read(code, message, data, asked) {
            Meaning::TooMuch(hint) => hint,
            other => panic!("{message}: {other:?}"),
        };
        let cases = [
            (-32005, "query returned more than 10000 results", Hint::Logs(10_000)),
            (
                -32000,
                "query exceeds max results 20000, retry with the range 1000-1999",
                Hint::UpTo(1_999),
            ),
            (-32602, "query exceeds max results 20000", Hint::Logs(20_000)),
            (
                -32602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit \
                 on the response size, or you can request any block range with a cap of 10K logs in the response. Based \
                 on your parameters and the response size limit, this block range should work: [0x3e8, 0x4e8]",
                Hint::UpTo(0x4e8),
            ),
            (-32614, "eth_getLogs is limited to a 10,000 range", Hint::Blocks(10_000)),
            (-32000, "exceed maximum block range: 50000", Hint::Blocks(50_000)),
            (-32600, "block range is too wide", Hint::None),
            (-32005, "range too large", Hint::None),
            (-32005, "limit exceeded", Hint::None),
            (
                -32602,
                "requested too many blocks from 1000 to 100999, maximum is set to 2048",
                Hint::Blocks(2_048),
            ),
            (
                -32000,
                "You can make eth_getLogs requests with up to a 10k block range",
                Hint::Blocks(10_000),
            ),
            (-32603, "internal error", Hint::None),
            (-32000, "query timeout exceeded", Hint::None),
        ];
        for (code, message, hint) in cases {
            assert_eq!(too_much(code, message, &none), hint, "{message}");
        }
        // Infura.
        let data = json!({ "from": "0x3e8", "to": "0x5e8", "limit": "10000" });
        let said = "query returned more than 10000 results. Try with this block range [0x3E8, 0x5E8].";
        assert_eq!(too_much(-32005, said, &data), Hint::UpTo(0x5e8));
        // A suggestion that is no smaller is none.
        let data = json!({ "from": "0x3e8", "to": "0xfffff" });
        assert_eq!(too_much(-32005, "range too large", &data), Hint::None);
        // A limit that was kept, to the letter, and still refused.
        assert_eq!(
            read(-32000, "limited to 500 blocks", &none, Some((1, 500))),
            Meaning::TooMuch(Hint::Blocks(499))
        );
    }

    #[test]
    fn rate_limits_missing_methods_and_pruned_nodes_are_told_apart() {
        let plain = |code, message: &str| read(code, message, &Value::Null, None);
        for (code, message) in [
            (-32005, "project ID request rate exceeded"),
            (-32029, "whatever"),
            (429, "Your app has exceeded its compute units per second capacity"),
            (-32005, "daily request count exceeded, request rate limited"),
        ] {
            assert_eq!(plain(code, message), Meaning::RateLimit(None), "{message}");
        }
        let data = json!({ "rate": { "backoff_seconds": 2.5 } });
        assert_eq!(
            read(-32005, "rate limit", &data, Some((1, 9))),
            Meaning::RateLimit(Some(Duration::from_millis(2_500)))
        );
        assert_eq!(plain(-32601, "no such method"), Meaning::Unsupported);
        assert_eq!(plain(-32000, "missing trie node 0xab"), Meaning::Pruned);
        assert_eq!(plain(-32000, "history has been pruned for this block"), Meaning::Pruned);
        assert_eq!(plain(-32000, "boom"), Meaning::Other);
    }
}

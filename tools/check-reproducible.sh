#!/bin/sh
# Builds the contracts twice, clean, in two different folders, and fails unless the code is the same
# byte for byte, and is the code whose hashes contracts/README.md records. Takes two full builds.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

cd "$root"
cargo build -q -p medlock-deploy --bin medlock-contracts
program=${CARGO_TARGET_DIR:-$root/target}/debug/medlock-contracts

for folder in one another/deeper; do
    mkdir -p "$work/$folder"
    tar -C "$root" --exclude=contracts/target -cf - contracts | tar -C "$work/$folder" -xf -
    "$program" --contracts "$work/$folder/contracts" build --tools "$root/.tools"
done

# Whatever was built: the program refuses to build fewer than all contracts.
status=0
for one in "$work"/one/contracts/target/artifacts/*.code; do
    [ -f "$one" ] || {
        echo "check-reproducible: the build left no code in ${one%/*}" >&2
        exit 1
    }
    name=$(basename "$one" .code)
    another=$work/another/deeper/contracts/target/artifacts/$name.code
    hash=$(sha256sum "$one" | cut -d' ' -f1)
    if cmp "$one" "$another"; then
        echo "check-reproducible: $name $hash twice" >&2
    else
        status=1
    fi
    grep -q "^| $name |.*\`$hash\`" "$root/contracts/README.md" || {
        echo "check-reproducible: contracts/README.md does not record $hash for $name" >&2
        status=1
    }
done
exit $status

#!/bin/sh
# Builds Kubo, the IPFS node that the block store's tests run against, from the Go modules that tools/kubo pins (go.sum: every
# one by its hash). Compiles once (about 3 minutes on two idle cores); can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/kubo-VERSION/ipfs); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
pins=$root/tools/kubo
# crates/store/tests names it too.
version=0.43.1
limit_s=2400

say() { echo "setup-kubo: $*" >&2; }

home=$tools/kubo-$version
# Renamed into place when it is complete.
if [ -x "$home/ipfs" ]; then
    say "Kubo $version: present in $home"
    exit 0
fi
PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null 2>&1 || { say "Go is not installed (1.26.5 or later; Debian: apt-get install golang)"; exit 1; }
mkdir -p "$home"
# Beside its place, so that the last step is one rename.
work=$(mktemp -d "$home/build.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
say "compiling Kubo $version into $home; this happens once and takes some minutes"
cp "$pins/go.mod" "$pins/go.sum" "$work"
cd "$work"
# Nothing of ours in a fork of Go's settings: no workspace, no vendoring, no C compiler needed.
export GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0
failed() { say "$1 failed, or took longer than $limit_s s; see above, then run this again"; exit 1; }
timeout "$limit_s" go mod download github.com/ipfs/kubo >&2 || failed "the download"
# Plugins are compiled in by a list that no build tag reaches: a copy gets a shorter list, of the two that a repository needs.
# Left out: other databases, telemetry (which would report to its makers), tracing exporters, git, JOSE.
cp -r "$(go list -m -f '{{.Dir}}' github.com/ipfs/kubo)" kubo
chmod -R u+w kubo
cat >kubo/plugin/loader/preload.go <<'GO'
package loader

import (
	"github.com/ipfs/kubo/plugin/plugins/flatfs"
	"github.com/ipfs/kubo/plugin/plugins/levelds"
)

func init() {
	Preload(flatfs.Plugins...)
	Preload(levelds.Plugins...)
}
GO
go mod edit -replace github.com/ipfs/kubo=./kubo
timeout "$limit_s" go build -mod=readonly -trimpath -tags "nofuse noplugin" -ldflags "-s -w" -o ipfs \
    github.com/ipfs/kubo/cmd/ipfs >&2 || failed "go build"
./ipfs version >&2
mv ipfs "$home/ipfs"

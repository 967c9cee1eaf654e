#!/bin/sh
# Finds or installs Caddy, the proxy of deploy/compose, which the tests put in front of several gateways. None is set up or started
# here. Can run twice; says what it does. Prints the program's path as its last line.
set -eu
apt_limit_s=600

say() { echo "setup-caddy: $*" >&2; }

# Debian's package would start a server of its own: one that is masked is not started.
install() {
    say "Caddy is not here; installing Debian's package"
    command -v apt-get >/dev/null 2>&1 || { say "no apt-get here"; return 1; }
    [ "$(id -u)" = 0 ] || { say "only root may install packages"; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    if command -v systemctl >/dev/null 2>&1; then systemctl mask caddy >/dev/null 2>&1 || true; fi
    timeout "$apt_limit_s" apt-get update -qq >&2 || return 1
    timeout "$apt_limit_s" apt-get install -y -qq --no-install-recommends caddy >&2
}

command -v caddy >/dev/null 2>&1 || install ||
    { say "no Caddy; install it, then run this again"; exit 1; }
program=$(command -v caddy)
say "$("$program" version | cut -d' ' -f1): $program"
echo "$program"

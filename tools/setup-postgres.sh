#!/bin/sh
# Finds or installs PostgreSQL's server programs, which the tests of the large index start throwaway servers with. No server is
# set up or started here. Can run twice; says what it does. Prints the programs' folder as its last line.
set -eu
# tests/postgres names it too.
oldest=15
apt_limit_s=600

say() { echo "setup-postgres: $*" >&2; }

# The folder of the newest version that is here and new enough.
present() {
    for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5nr); do
        usable "$bin" && return 0
    done
    program=$(command -v initdb 2>/dev/null) || return 1
    usable "$(dirname "$program")"
}

usable() {
    [ -x "$1/initdb" ] && [ -x "$1/postgres" ] && [ -x "$1/createdb" ] || return 1
    version=$("$1/postgres" --version | sed 's/.*PostgreSQL) \([0-9]*\).*/\1/')
    [ "$version" -ge "$oldest" ] 2>/dev/null || return 1
    bin=$1
}

# Debian's package would make a server of its own and start it with the machine.
no_server() {
    conf=/etc/postgresql-common/createcluster.conf
    sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' "$conf"
}

install() {
    say "PostgreSQL $oldest or later is not here; installing Debian's package"
    command -v apt-get >/dev/null 2>&1 || { say "no apt-get here"; return 1; }
    [ "$(id -u)" = 0 ] || { say "only root may install packages"; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    timeout "$apt_limit_s" apt-get update -qq >&2 || return 1
    timeout "$apt_limit_s" apt-get install -y -qq --no-install-recommends postgresql-common >&2 || return 1
    no_server || return 1
    timeout "$apt_limit_s" apt-get install -y -qq --no-install-recommends postgresql >&2 || return 1
    present
}

present || install ||
    { say "no PostgreSQL $oldest or later; install its server (initdb, postgres, createdb), then run this again"; exit 1; }
# initdb refuses to run as root.
[ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1 || { say "no user 'postgres', whom root runs the server as"; exit 1; }
say "$("$bin/postgres" --version): in $bin"
echo "$bin"

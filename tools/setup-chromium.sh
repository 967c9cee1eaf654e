#!/bin/sh
# Finds or installs Debian's Chromium, the browser of the application's tests. None is set up or started here. Can run twice; says what it
# does. Prints the program's path as its last line.
set -eu
apt_limit_s=900

say() { echo "setup-chromium: $*" >&2; }

install() {
    say "Chromium is not here; installing Debian's package"
    command -v apt-get >/dev/null 2>&1 || { say "no apt-get here"; return 1; }
    [ "$(id -u)" = 0 ] || { say "only root may install packages"; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    timeout "$apt_limit_s" apt-get update -qq >&2 || return 1
    timeout "$apt_limit_s" apt-get install -y -qq --no-install-recommends chromium >&2
}

command -v chromium >/dev/null 2>&1 || install ||
    { say "no Chromium; install it, then run this again"; exit 1; }
program=$(command -v chromium)
# Debian's start script may complain of the machine's memory on the standard error; the version is on the standard output.
version=$("$program" --version 2>/dev/null) || { say "$program does not start"; exit 1; }
say "$version: $program"
echo "$program"

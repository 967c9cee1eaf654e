#!/bin/sh
# Builds HAPI FHIR's server for `make bench-gateway` (bench/hapi): its jars from Maven Central, at the versions that pom.xml pins, and the
# program that starts it. 300 MB, about a minute the first time. Can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/hapi); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
source=$root/bench/hapi
home=$tools/hapi
limit_s=900

say() { echo "setup-hapi: $*" >&2; }

# What an installation is known by; written last.
note() { cat "$source/pom.xml" "$source/src/main/java/medlock/bench/HapiServer.java" "$root/tools/setup-hapi.sh"; }

if note | cmp -s - "$home/installed"; then
    say "HAPI FHIR is present in $home"
    exit 0
fi
command -v javac >/dev/null 2>&1 || { say "no Java compiler (Debian: apt-get install openjdk-17-jdk-headless; 17 or later)"; exit 1; }
command -v mvn >/dev/null 2>&1 || { say "Maven is not installed (Debian: apt-get install maven)"; exit 1; }
mkdir -p "$tools"
# Beside its place, so that the last step is one rename. Maven writes where its sources are: they are a copy.
new=$tools/hapi.$$
trap 'rm -rf "$new" "$new.old"' EXIT INT TERM
mkdir "$new"
cp -R "$source/pom.xml" "$source/src" "$new"
say "building HAPI FHIR into $home (about a minute)"
timeout "$limit_s" mvn --quiet --batch-mode --file "$new/pom.xml" compile dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$new/jars" >&2 || {
    say "Maven could not build it within $limit_s s; see above, then run this again"
    exit 1
}
mv "$new/target/classes" "$new/classes"
rm -rf "$new/target" "$new/src" "$new/pom.xml"
note >"$new/installed"
[ ! -e "$home" ] || mv "$home" "$new.old"
mv "$new" "$home"

#!/bin/sh
# maven-tool.sh NAME FOLDER WHAT: builds the Java program in FOLDER (a pom.xml that pins every version, and sources) with its jars from
# Maven Central into DIR/NAME, as classes/ and jars/. Can run twice; says what it does. tools/setup-hapi*.sh are its callers.
#
#   MEDLOCK_TOOLS=DIR   default: .tools beside this folder
set -eu
name=$1 what=$3
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
source=$root/$2
home=$tools/$name
limit_s=900

say() { echo "setup-$name: $*" >&2; }

# What an installation is known by; written last.
note() { find "$source" -type f | LC_ALL=C sort | xargs cat; cat "$root/tools/maven-tool.sh"; }

if note | cmp -s - "$home/installed"; then
    say "$what is present in $home"
    exit 0
fi
command -v javac >/dev/null 2>&1 || { say "no Java compiler (Debian: apt-get install openjdk-17-jdk-headless; 17 or later)"; exit 1; }
command -v mvn >/dev/null 2>&1 || { say "Maven is not installed (Debian: apt-get install maven)"; exit 1; }
mkdir -p "$tools"
# Beside its place, so that the last step is one rename. Maven writes where its sources are: they are a copy.
new=$tools/$name.$$
trap 'rm -rf "$new" "$new.old"' EXIT INT TERM
mkdir "$new"
cp -R "$source/pom.xml" "$source/src" "$new"
say "building $what into $home (about a minute)"
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

#!/bin/sh
# Builds HAPI FHIR's validator (tools/hapi-validator), which the tests check FHIR resources with beside fhir.resources: its jars from
# Maven Central, at the versions that pom.xml pins. Some 60 MB, half a minute the first time. Can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/hapi-validator); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
source=$root/tools/hapi-validator
home=$tools/hapi-validator
limit_s=600

say() { echo "setup-hapi-validator: $*" >&2; }

# What an installation is known by; written last.
note() { cat "$source/pom.xml" "$source/src/main/java/medlock/Validate.java" "$root/tools/setup-hapi-validator.sh"; }

if note | cmp -s - "$home/installed"; then
    say "HAPI FHIR's validator is present in $home"
    exit 0
fi
command -v javac >/dev/null 2>&1 || { say "no Java compiler (Debian: apt-get install openjdk-17-jdk-headless; 17 or later)"; exit 1; }
command -v mvn >/dev/null 2>&1 || { say "Maven is not installed (Debian: apt-get install maven)"; exit 1; }
mkdir -p "$tools"
# Beside its place, so that the last step is one rename. Maven writes where its sources are: they are a copy.
new=$tools/hapi-validator.$$
trap 'rm -rf "$new" "$new.old"' EXIT INT TERM
mkdir "$new"
cp -R "$source/pom.xml" "$source/src" "$new"
say "building HAPI FHIR's validator into $home (about half a minute)"
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

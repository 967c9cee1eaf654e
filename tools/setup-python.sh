#!/bin/sh
# Installs the Python programs that tests use, each from the packages that its requirements.txt pins by their hashes. Can run twice;
# says what it does.
#   fhir-validator   the FHIR R4 validator that resources are checked with, and the readers of DICOM and HL7 v2 that ours are compared
#                    with. 20 MB.
#   schemathesis     makes requests from the gateway's OpenAPI document. 60 MB.
#
#   MEDLOCK_TOOLS=DIR   where they go (DIR/NAME); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
limit_s=300

say() { echo "setup-python: $*" >&2; }

# NAME, what to import as a trial, and flags for pip.
install() {
    name=$1 trial=$2
    shift 2
    pins=$root/tools/$name/requirements.txt
    home=$tools/$name
    # The list of what is installed: written last.
    if cmp -s "$pins" "$home/installed"; then
        say "$name is present in $home"
        return
    fi
    command -v python3 >/dev/null 2>&1 || { say "Python 3 is not installed (3.10 to 3.13; Debian: apt-get install python3)"; exit 1; }
    python3 -m pip --version >/dev/null 2>&1 || { say "pip is not installed (Debian: apt-get install python3-pip)"; exit 1; }
    mkdir -p "$tools"
    # Beside its place, so that the last step is one rename.
    new=$tools/$name.$$
    trap 'rm -rf "$new"' EXIT INT TERM
    say "installing $name into $home (about 20 s)"
    timeout "$limit_s" python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary=:all: "$@" --target "$new" --requirement "$pins" >&2 || {
        say "pip could not install it within $limit_s s; see above, then run this again"
        exit 1
    }
    PYTHONPATH=$new python3 -c "import $trial" || { say "it does not run with this Python"; exit 1; }
    cp "$pins" "$new/installed"
    rm -rf "$home"
    mv "$new" "$home"
}

# Pure Python: the same files on every machine.
install fhir-validator 'fhir.resources.consent, hl7, pydicom' --platform any --implementation py --abi none
install schemathesis schemathesis.cli

#!/bin/sh
# Installs the FHIR R4 validator that the resources of crates/fhir are checked with, and the readers of DICOM and HL7 v2 that ours are
# compared with: the Python packages that tools/fhir-validator/requirements.txt pins, every one by its hash. 20 MB. Can run twice; says
# what it does.
#
#   MEDLOCK_TOOLS=DIR   where they go (DIR/fhir-validator); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
pins=$root/tools/fhir-validator/requirements.txt
home=$tools/fhir-validator
limit_s=300

say() { echo "setup-fhir-validator: $*" >&2; }

# The list of what is installed: written last.
if cmp -s "$pins" "$home/installed"; then
    say "the FHIR validator is present in $home"
    exit 0
fi
command -v python3 >/dev/null 2>&1 || { say "Python 3 is not installed (3.9 to 3.13; Debian: apt-get install python3)"; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { say "pip is not installed (Debian: apt-get install python3-pip)"; exit 1; }
mkdir -p "$tools"
# Beside its place, so that the last step is one rename.
new=$tools/fhir-validator.$$
trap 'rm -rf "$new"' EXIT INT TERM
say "installing the FHIR validator into $home (about 10 s)"
# Pure Python: the same files on every machine.
timeout "$limit_s" python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --platform any --implementation py --abi none --only-binary=:all: --target "$new" --requirement "$pins" >&2 || {
    say "pip could not install it within $limit_s s; see above, then run this again"
    exit 1
}
PYTHONPATH=$new python3 -c 'import fhir.resources.consent, hl7, pydicom' || { say "it does not run with this Python"; exit 1; }
cp "$pins" "$new/installed"
rm -rf "$home"
mv "$new" "$home"

#!/bin/bash
# Copies a program and all it needs to run into a folder that is the root of a container: the
# libraries that the loader would load, at their places, the certificates of public authorities, and
# its software bill of materials. `make images` and the Dockerfile both call it, so both make the same.
#
#   collect_program.sh BUILD/bin/PROGRAM VERSION FOLDER
set -euo pipefail
program=$1 version=$2 folder=$3
tools=$(dirname "${BASH_SOURCE[0]}")
certificates=/etc/ssl/certs/ca-certificates.crt

mkdir -p "$folder/usr/share/doc/tracekeeper"
cp "$program" "$folder/"
cp --parents "$certificates" "$folder"
libraries=$(ldd "$program" 2>&1) || true
if grep 'not found' <<<"$libraries"; then
  echo "collect_program.sh: $program needs the libraries above, which are not here" >&2
  exit 1
fi
# A static program has none.
{ grep -o '/[^ ]*' <<<"$libraries" || true; } | { grep -v ':$' || true; } | while read -r library; do
  cp --parents --dereference "$library" "$folder"
done
"$tools/sbom.py" "$program" "$version" "$folder/usr/share/doc/tracekeeper/sbom.spdx.json" "$certificates"

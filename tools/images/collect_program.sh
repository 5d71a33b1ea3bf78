#!/bin/bash
# Copies a program and all it needs to run into a folder that can be the root of a container: the
# libraries that the loader would load, at their places, and the certificates of public authorities.
# The Dockerfile calls it.
#
#   collect_program.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
certificates=/etc/ssl/certs/ca-certificates.crt

mkdir -p "$folder"
cp "$program" "$folder/"
cp --parents "$certificates" "$folder"
libraries=$(ldd "$program")
if grep 'not found' <<<"$libraries"; then
  echo "collect_program.sh: $program needs the libraries above, which are not here" >&2
  exit 1
fi
grep -o '/[^ ]*' <<<"$libraries" | while read -r library; do
  cp --parents --dereference "$library" "$folder"
done

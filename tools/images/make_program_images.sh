#!/bin/bash
# Makes the container images of the release programs as docker archives, with no daemon, no registry
# and no base image: each holds one program, the libraries it needs, and the certificates of public
# authorities. `make images` calls it.
#
#   make_program_images.sh PROGRAMS FOLDER VERSION
#
# Equal programs give equal bytes. To use one:
#   ctr -n k8s.io images import tracekeeper-sidecar.tar    or    docker load -i tracekeeper-sidecar.tar
set -euo pipefail
programs=$1 folder=$2 version=$3
make_image=$(dirname "${BASH_SOURCE[0]}")/make_image.py
certificates=/etc/ssl/certs/ca-certificates.crt

mkdir -p "$folder"
for program in tracekeeper-operator tracekeeper-sidecar tracekeeper; do
  # A pod may run under any uid; a numeric one satisfies runAsNonRoot without being looked up.
  "$make_image" "$folder/$program.tar" "tracekeeper.dev/$program:$version" \
    --program "/$program=$programs/$program" --file "$certificates=$certificates" \
    --entry "[\"/$program\"]" --user 65532:65532
  printf '%-24s %6d kB  %s\n' "$program" $(($(stat -c %s "$folder/$program.tar") / 1024)) "$folder/$program.tar"
done

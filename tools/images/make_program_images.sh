#!/bin/bash
# Makes the container images of the release programs, with no daemon, no registry and no base image:
# each holds one program, the libraries it needs, the certificates of public authorities and its
# software bill of materials, which is written beside it too. `make images` calls it.
#
#   make_program_images.sh PROGRAMS FOLDER VERSION
#
# Equal programs give equal bytes. An archive is an OCI image layout that Docker reads as well:
#   ctr -n k8s.io images import tracekeeper-sidecar.tar    or    docker load -i tracekeeper-sidecar.tar
#   skopeo copy oci-archive:tracekeeper-sidecar.tar docker://registry.example.com/tracekeeper-sidecar:0.1.0
set -euo pipefail
programs=$1 folder=$2 version=$3
tools=$(dirname "${BASH_SOURCE[0]}")
# What a registry will hold; more is a mistake, such as a program with debug symbols.
readonly most_megabytes=40

declare -A titles=(
  [tracekeeper-operator]="Tracekeeper operator"
  [tracekeeper-sidecar]="Tracekeeper propagation sidecar"
  [tracekeeper-analyzer]="Tracekeeper analyzer"
  [tracekeeper]="Tracekeeper command line"
)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
labels=()
label() { labels+=(--label "org.opencontainers.image.$1=$2"); }

mkdir -p "$folder"
for program in tracekeeper-operator tracekeeper-sidecar tracekeeper-analyzer tracekeeper; do
  labels=()
  label title "${titles[$program]}"
  label version "$version"
  label licenses Apache-2.0
  label url https://tracekeeper.dev
  revision=$(git -C "$tools" rev-parse HEAD 2>/dev/null) && label revision "$revision"
  "$tools/collect_program.sh" "$programs/$program" "$version" "$root/$program"
  # A pod may run under any uid; a numeric one satisfies runAsNonRoot without being looked up.
  "$tools/make_image.py" "$folder/$program.tar" "tracekeeper.dev/$program:$version" --root "$root/$program" \
    --entry "[\"/$program\"]" --user 65532:65532 "${labels[@]}"
  cp "$root/$program/usr/share/doc/tracekeeper/sbom.spdx.json" "$folder/$program.spdx.json"
  kilobytes=$(($(stat -c %s "$folder/$program.tar") / 1024))
  printf '%-24s %6d kB  %s\n' "$program" $kilobytes "$folder/$program.tar"
  if [ $kilobytes -gt $((most_megabytes * 1024)) ]; then
    echo "make_program_images.sh: $program is over $most_megabytes MB; is $programs a release build?" >&2
    exit 1
  fi
done

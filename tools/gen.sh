#!/usr/bin/env bash
# Writes every generated file again: CRDs, chart templates and reference pages from operator/api,
# RBAC objects from operator/domain/rights.cc, the tables of values in the charts' READMEs from their
# values.yaml.
#
#   tools/gen.sh            into this repository
#   tools/gen.sh FOLDER     into another folder, laid out as the repository
#   tools/gen.sh --check    nowhere: shows what would change, and fails if anything would
#
# Uses the build folder $TRACEKEEPER_BUILD (default build/dev) and configures it if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${TRACEKEEPER_BUILD:-build/dev}

generate() {
  [ -f "$build/build.ninja" ] || cmake --preset dev -B "$build" >/dev/null
  cmake --build "$build" --target crdgen --target rbacgen >"$build/gen.log" || { cat "$build/gen.log" >&2; return 1; }
  "$build/generators/crdgen" . "$1"
  "$build/generators/rbacgen" "$1"
  tools/charts/values_table.py . "$1"
}

check() {
  local status=0 file
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  generate "$folder" >/dev/null
  while IFS= read -r file; do
    diff -u --label "$file" --label "$file (generated)" "$file" "$folder/$file" || status=1
  done < <(cd "$folder" && find . -type f -printf '%P\n' | sort)
  [ $status = 0 ] || echo "generated files differ from their sources: run make gen and commit the result" >&2
  return $status
}

case "${1:-.}" in
  --check) check ;;
  -*) sed -n '2,10p' "$0" >&2; exit 2 ;;
  *) generate "${1:-.}" ;;
esac

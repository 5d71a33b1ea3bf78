#!/bin/bash
# Makes this machine ready to build, test and demonstrate Tracekeeper: Debian packages, and the real
# servers that tests run, built from the pins in this repository. What is there already is not made
# again; an interrupted run goes on where it stopped; two runs at once wait for each other.
#
#   tools/setup.sh [all]             packages, kube and images
#   tools/setup.sh packages          Debian packages for everything
#   tools/setup.sh build-packages    Debian packages to build and unit-test: compilers, libraries
#   tools/setup.sh node-packages     Debian packages for a real node: containerd, runc, CNI, nftables
#   tools/setup.sh kube              the kube program: etcd, all of Kubernetes, kubectl (tools/kube)
#   tools/setup.sh images            images that test pods run (tools/testtool)
#   tools/setup.sh path kube         prints where the program is, or will be
#   tools/setup.sh path images       prints the folder of the image archives
#   tools/setup.sh check             says what is missing; exit code 1 if anything is
#
# Built things live in $TRACEKEEPER_CACHE, or $XDG_CACHE_HOME/tracekeeper, or ~/.cache/tracekeeper,
# in folders named by the hash of what they are built from. Deleting any of them is safe.
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TRACEKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tracekeeper}

readonly progress_seconds=15
readonly go_minimum=1.24

build_packages=(
  git make python3 ca-certificates curl time
  g++ cmake ninja-build ccache pkg-config
  libboost-dev libcli11-dev libcpprest-dev libdeflate-dev libexpected-dev libfmt-dev libnghttp2-dev
  libsimdjson-dev libspdlog-dev libssl-dev libyaml-cpp-dev libzstd-dev prometheus-cpp-dev zlib1g-dev
  libbenchmark-dev libgmock-dev libgtest-dev
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev gcovr
)
node_packages=(
  containerd runc containernetworking-plugins
  conntrack ethtool ipset iproute2 iptables kmod nftables procps socat util-linux
  busybox-static curl openssl python3
)

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# --- Debian packages -----------------------------------------------------------------------------

missing_packages() { # package...: those that are not installed
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

as_root() { # how to run a command as root, or nothing
  if [ "$(id -u)" = 0 ]; then echo env
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then echo sudo
  fi
}

install_packages() { # package...
  command -v dpkg-query >/dev/null ||
    fail "this is not Debian, so packages are yours to install; on Debian 12 they would be: $*"
  local missing root
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  root=$(as_root)
  [ -n "$root" ] || fail "these packages are missing and only root can install them; run: sudo apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local apt=("$root" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
  run_with_progress "Debian package lists" apt.log "${apt[@]}" update
  run_with_progress "Debian packages" apt.log "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

# --- Long work that shows it is alive ------------------------------------------------------------

# Runs a command with its output in a log; every few seconds tells how far it is, in the words of
# describe_progress, which callers redefine. The log's tail is shown when it fails.
run_with_progress() { # what log command...
  local what=$1 log=$cache/$2 start=$SECONDS status=0 shown=$SECONDS
  shift 2
  mkdir -p "$cache"
  "$@" >"$log" 2>&1 &
  local work=$!
  # The work ends with us: an interrupted build must not go on unseen, without its lock.
  trap "kill $work 2>/dev/null" EXIT
  while kill -0 "$work" 2>/dev/null; do
    if [ $((SECONDS - shown)) -ge $progress_seconds ]; then
      shown=$SECONDS
      say "$what: $(describe_progress "$log"), $((SECONDS - start)) s"
    fi
    sleep 0.2
  done
  wait "$work" || status=$?
  trap - EXIT
  [ "$status" = 0 ] && return 0
  tail -n 30 "$log" >&2
  fail "$what failed (exit code $status); all of its output is in $log"
}
describe_progress() { tail -n 1 "$1" | tr -d '\r' | cut -c 1-90; }

with_lock() { # name command...: one run at a time on this machine
  local name=$1 waited=0
  shift
  mkdir -p "$cache"
  exec 9>"$cache/.$name.lock"
  until flock --wait $progress_seconds 9; do
    waited=$((waited + progress_seconds))
    say "waiting for another run that makes $name, $waited s"
  done
  "$@" 9>&-
  exec 9>&-
}

# --- Go ------------------------------------------------------------------------------------------

require_go() {
  local advice="install Go from https://go.dev/dl, or golang-1.23-go of bookworm-backports, which fetches a newer one by itself when GOTOOLCHAIN=auto; then run this again"
  command -v go >/dev/null || fail "Go $go_minimum or newer is needed and there is none: Debian 12's own is too old; $advice"
  local version
  version=$(cd "$tools/kube" && go env GOVERSION 2>&1) || fail "Go $go_minimum or newer is needed, and 'go' says: $version; $advice"
  [ "$(printf '%s\n' "go$go_minimum" "$version" | sort -V | head -n 1)" = "go$go_minimum" ] ||
    fail "Go $go_minimum or newer is needed and $(command -v go) is $version; $advice"
}

# Every input of a Go program: its sources, its pins, and the command line that builds it.
go_inputs() { # folder flags...
  local folder=$1
  shift
  (cd "$tools/$folder" && sha256sum ./*.go ./go.*)
  printf '%s\n' "$@"
}
hash_of() { sha256sum | cut -c 1-12; }

build_go() { # folder output flags...
  local folder=$1 output=$2
  shift 2
  # CGO off: static, and the same bytes from every machine. The owner's GOFLAGS could change them.
  local go=(env -C "$tools/$folder" CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off go)
  describe_progress() { echo "$(grep -c '^go: downloading' "$1") modules fetched"; }
  run_with_progress "$folder" "$folder-modules.log" "${go[@]}" list -mod=readonly -deps -f '{{.ImportPath}}' "${@:1:2}" .
  local total
  total=$(grep -vc '^go: ' "$cache/$folder-modules.log")
  describe_progress() { echo "$(grep -vc '^go: ' "$1") packages compiled of at most $total"; }
  run_with_progress "$folder" "$folder-build.log" "${go[@]}" build -v -mod=readonly -trimpath "$@" -o "$output" .
}

# --- kube ----------------------------------------------------------------------------------------

kubernetes_version() { sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v1[0-9.]*\)$/\1/p' "$tools/kube/go.mod"; }

# As upstream's release builds: their tag, and the version that the API server tells its clients.
# The date is fixed so that equal inputs give equal bytes.
kube_flags() {
  local version minor package ldflags="-s -w"
  version=$(kubernetes_version)
  minor=${version#v1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
    ldflags+=" -X $package.gitTreeState=clean -X $package.buildDate=2026-01-01T00:00:00Z"
  done
  printf '%s\n' -tags grpcnotrace -ldflags "$ldflags"
}
kube_folder() {
  local flags
  mapfile -t flags < <(kube_flags)
  echo "$cache/kube-$(go_inputs kube "${flags[@]}" | hash_of)"
}
make_kube() {
  local folder flags
  folder=$(kube_folder)
  [ ! -x "$folder/kube" ] || return 0
  require_go
  mapfile -t flags < <(kube_flags)
  say "building Kubernetes $(kubernetes_version) and etcd from source, once: about 11 CPU minutes and 4 GB of Go cache"
  rm -rf "$cache"/kube-*.unfinished
  mkdir -p "$folder.unfinished"
  build_go kube "$folder.unfinished/kube" "${flags[@]}"
  mv -T "$folder.unfinished" "$folder"
  say "kube is ready: $folder/kube"
}

# --- Images --------------------------------------------------------------------------------------

images_folder() {
  echo "$cache/images-$({ go_inputs testtool; cat "$tools/images/make_image.py" "$tools/images/make_test_images.sh"; } | hash_of)"
}
make_images() {
  local folder unfinished
  folder=$(images_folder)
  [ ! -e "$folder/testtool.tar" ] || return 0
  require_go
  [ -x /bin/busybox ] || fail "the test images need busybox-static; run: tools/setup.sh node-packages"
  unfinished=$folder.unfinished
  rm -rf "$cache"/images-*.unfinished
  mkdir -p "$unfinished"
  build_go testtool "$unfinished/testtool" -ldflags "-s -w"
  "$tools/images/make_test_images.sh" "$unfinished" "$unfinished/testtool"
  mv -T "$unfinished" "$folder"
  say "test images are ready: $folder"
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- Commands ------------------------------------------------------------------------------------

check() {
  local missing status=0
  mapfile -t missing < <(missing_packages "${build_packages[@]}" "${node_packages[@]}")
  [ ${#missing[@]} = 0 ] || { say "missing Debian packages: ${missing[*]}"; status=1; }
  [ -x "$(kube_folder)/kube" ] || { say "kube is not built"; status=1; }
  [ -e "$(images_folder)/testtool.tar" ] || { say "the test images are not made"; status=1; }
  return $status
}

print_path() { # name
  case $1 in
    kube) echo "$(kube_folder)/kube" ;;
    images) images_folder ;;
    *) fail "no path is known for '$1'; known: kube images" ;;
  esac
}

case "${1:-all}" in
  all)
    with_lock packages install_packages "${build_packages[@]}" "${node_packages[@]}"
    with_lock kube make_kube
    with_lock images make_images
    say "all is there"
    ;;
  packages) with_lock packages install_packages "${build_packages[@]}" "${node_packages[@]}" ;;
  build-packages) with_lock packages install_packages "${build_packages[@]}" ;;
  node-packages) with_lock packages install_packages "${node_packages[@]}" ;;
  kube) with_lock kube make_kube ;;
  images) with_lock images make_images ;;
  path) print_path "${2:-}" ;;
  check) check ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    [ "$1" = --help ] || exit 2
    ;;
esac

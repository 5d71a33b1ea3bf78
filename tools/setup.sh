#!/bin/bash
# Makes this machine ready to build, test and demonstrate Tracekeeper: Debian packages, and the real
# servers that tests run, built from the pins in this repository. What is there already is not made
# again; an interrupted run goes on where it stopped; two runs at once wait for each other.
#
#   tools/setup.sh [all]             packages and everything below
#   tools/setup.sh packages          Debian packages for everything
#   tools/setup.sh build-packages    Debian packages to build and unit-test: compilers, libraries
#   tools/setup.sh node-packages     Debian packages for a real node: containerd, runc, CNI, nftables
#   tools/setup.sh kube              the kube program: etcd, all of Kubernetes, kubectl (tools/kube)
#   tools/setup.sh images            images that test pods run (tools/testtool)
#   tools/setup.sh helm              helm 3 and 4, kubeconform (tools/helm): for tests of the charts
#   tools/setup.sh kwok              kwok (tools/kwok): nodes and pods that exist for the API server only
#   tools/setup.sh otelcol           the OpenTelemetry Collector (tools/otelcol): the relay's real backend
#   tools/setup.sh senders           OpenTelemetry SDKs of Python and Node.js (tools/otel_senders)
#   tools/setup.sh prometheus        prometheus and promtool, out of Debian's package
#   tools/setup.sh vault             Vault (tools/vault): where secrets are rotated from
#   tools/setup.sh postgres          PostgreSQL of Debian, for Vault's database engine; starts no server
#   tools/setup.sh path kube         prints where the program is, or will be; vault likewise
#   tools/setup.sh path NAME         prints the folder of images, helm, kwok, otelcol, senders or prometheus
#   tools/setup.sh check             says what is missing; exit code 1 if anything is
#
# Built things live in $TRACEKEEPER_CACHE, or $XDG_CACHE_HOME/tracekeeper, or ~/.cache/tracekeeper,
# in folders named by the hash of what they are built from. Deleting any of them is safe.
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TRACEKEEPER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tracekeeper}

readonly progress_seconds=15

build_packages=(
  git make python3 ca-certificates curl time
  g++ cmake ninja-build ccache pkg-config
  libboost-dev libcli11-dev libcpprest-dev libdeflate-dev libexpected-dev libfmt-dev libgrpc++-dev libisal-dev libnghttp2-dev
  libsimdjson-dev libspdlog-dev libssl-dev libyaml-cpp-dev libzstd-dev prometheus-cpp-dev protobuf-compiler-grpc rapidjson-dev zlib1g-dev
  libbenchmark-dev libgmock-dev libgtest-dev libprotobuf-dev libprotoc-dev nghttp2-client python3-grpcio python3-yaml
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

require_go() { # folder: its go.mod says which version it needs
  local needed advice="install Go from https://go.dev/dl, or golang-1.23-go of bookworm-backports, which fetches a newer one by itself when GOTOOLCHAIN=auto; then run this again"
  needed=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$tools/$1/go.mod")
  command -v go >/dev/null || fail "Go $needed or newer is needed and there is none: Debian 12's own is too old; $advice"
  local version
  version=$(cd "$tools/$1" && go env GOVERSION 2>&1) || fail "Go $needed or newer is needed, and 'go' says: $version; $advice"
  [ "$(printf '%s\n' "go$needed" "$version" | sort -V | head -n 1)" = "go$needed" ] ||
    fail "Go $needed or newer is needed and $(command -v go) is $version; $advice"
}

# Every input of a Go program: its sources, its pins, and the command line that builds it.
go_inputs() { # folder flags...
  local folder=$1
  shift
  (cd "$tools/$folder" && shopt -s nullglob && sha256sum ./*.go ./go.*)
  printf '%s\n' "$@"
}
hash_of() { sha256sum | cut -c 1-12; }

build_go() { # folder package output flags...
  local folder=$1 package=$2 output=$3 name
  name=$(basename "$output")
  shift 3
  # CGO off: static, and the same bytes from every machine. The owner's GOFLAGS could change them.
  local go=(env -C "$tools/$folder" CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off nice go)
  describe_progress() { echo "$(grep -c '^go: downloading' "$1") modules fetched"; }
  run_with_progress "$name" "$name-modules.log" "${go[@]}" list -mod=readonly -deps -f '{{.ImportPath}}' "${@:1:2}" "$package"
  local total
  total=$(grep -vc '^go: ' "$cache/$name-modules.log")
  describe_progress() { echo "$(grep -vc '^go: ' "$1") packages compiled of at most $total"; }
  run_with_progress "$name" "$name-build.log" "${go[@]}" build -v -mod=readonly -trimpath "$@" -o "$output" "$package"
}

# Fills $cache/NAME-HASH once, whole or not at all: `fill` is the function that does it.
make_once() { # name folder file-that-shows-it-is-there cost fill
  local name=$1 folder=$2 proof=$3 cost=$4 fill=$5
  [ ! -e "$folder/$proof" ] || return 0
  say "making $name, once: $cost"
  rm -rf "$cache/$name"-*.unfinished
  mkdir -p "$folder.unfinished"
  "$fill" "$folder.unfinished"
  mv -T "$folder.unfinished" "$folder"
  say "$name is ready: $folder"
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
fill_kube() {
  local flags
  require_go kube
  mapfile -t flags < <(kube_flags)
  build_go kube . "$1/kube" "${flags[@]}"
}
make_kube() {
  make_once kube "$(kube_folder)" kube \
    "Kubernetes $(kubernetes_version) and etcd from source, about 11 CPU minutes and 4 GB of Go cache" fill_kube
}

# --- Images --------------------------------------------------------------------------------------

images_folder() {
  echo "$cache/images-$({ go_inputs testtool; cat "$tools/images/make_image.py" "$tools/images/make_test_images.sh"; } | hash_of)"
}
fill_images() {
  require_go testtool
  [ -x /bin/busybox ] || fail "the test images need busybox-static; run: tools/setup.sh node-packages"
  build_go testtool . "$1/testtool" -ldflags "-s -w"
  "$tools/images/make_test_images.sh" "$1" "$1/testtool"
}
make_images() { make_once images "$(images_folder)" testtool.tar "what the test cluster's nodes know from their start" fill_images; }

# --- Helm, kubeconform ---------------------------------------------------------------------------

helm_folder() { echo "$cache/helm-$(go_inputs helm "$(helm3_ldflags)" "$(cat "$tools"/helm/oldest/go.*)" "$(kubernetes_version)" | hash_of)"; }
# The specification of Kubernetes' own objects, as its module in the folder's go.mod has it.
api_specification() { # folder
  echo "$(env -C "$tools/$1" GOWORK=off go mod download -json k8s.io/kubernetes |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/api/openapi-spec/swagger.json"
}
# As upstream's release: without these it takes every cluster that it does not ask for Kubernetes 1.20.
helm3_ldflags() {
  local minor package
  minor=$(sed -n 's/^[[:space:]]*k8s.io\/client-go v0\.\([0-9]*\)\..*/\1/p' "$tools/helm/go.mod")
  printf '%s' "-s -w"
  for package in pkg/chartutil pkg/lint/rules; do
    printf ' -X helm.sh/helm/v3/%s.k8sVersionMajor=1 -X helm.sh/helm/v3/%s.k8sVersionMinor=%s' $package $package "$minor"
  done
}
fill_helm() {
  require_go helm
  build_go helm helm.sh/helm/v4/cmd/helm "$1/helm4" -ldflags "-s -w"
  build_go helm helm.sh/helm/v3/cmd/helm "$1/helm3" -ldflags "$(helm3_ldflags)"
  build_go helm github.com/yannh/kubeconform/cmd/kubeconform "$1/kubeconform" -ldflags "-s -w"
  install -m 644 "$(api_specification helm/oldest)" "$1/kubernetes-oldest.json"
  install -m 644 "$(api_specification kube)" "$1/kubernetes-newest.json"
}
make_helm() {
  make_once helm "$(helm_folder)" kubeconform "Helm 3, Helm 4 and kubeconform from source, about 5 CPU minutes" fill_helm
}

# --- kwok ----------------------------------------------------------------------------------------

kwok_folder() { echo "$cache/kwok-$(go_inputs kwok | hash_of)"; }
fill_kwok() {
  local stages
  require_go kwok
  build_go kwok sigs.k8s.io/kwok/cmd/kwok "$1/kwok" -ldflags "-s -w"
  # It does nothing without stages, which say when a node is Ready and a pod is Running.
  stages=$(env -C "$tools/kwok" GOFLAGS=-mod=readonly GOWORK=off go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  mkdir "$1/stages"
  install -m 644 "$stages"/node/fast/node-*.yaml "$stages"/node/heartbeat-with-lease/node-*.yaml \
    "$stages"/pod/fast/pod-*.yaml "$1/stages"
}
make_kwok() { make_once kwok "$(kwok_folder)" kwok "kwok from source, about 3 CPU minutes" fill_kwok; }

# shellcheck source=tools/setup_peers.sh
source "$tools/setup_peers.sh"

trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- Commands ------------------------------------------------------------------------------------

check() {
  local missing status=0
  mapfile -t missing < <(missing_packages "${build_packages[@]}" "${node_packages[@]}")
  [ ${#missing[@]} = 0 ] || { say "missing Debian packages: ${missing[*]}"; status=1; }
  [ -x "$(kube_folder)/kube" ] || { say "kube is not built"; status=1; }
  [ -e "$(images_folder)/testtool.tar" ] || { say "the test images are not made"; status=1; }
  [ -x "$(helm_folder)/kubeconform" ] || { say "helm is not built"; status=1; }
  [ -x "$(kwok_folder)/kwok" ] || { say "kwok is not built"; status=1; }
  [ -x "$(otelcol_folder)/otelcol" ] || { say "otelcol is not built"; status=1; }
  [ -x "$(vault_folder)/vault" ] || { say "vault is not built"; status=1; }
  [ -z "$(missing_packages postgresql)" ] || { say "postgresql is not installed"; status=1; }
  [ -x "$(prometheus_folder)/promtool" ] || { say "prometheus is not there"; status=1; }
  [ -e "$(senders_folder)/node_modules" ] || { say "the OpenTelemetry senders are not installed"; status=1; }
  return $status
}

print_path() { # name
  case $1 in
    kube) echo "$(kube_folder)/kube" ;;
    images) images_folder ;;
    helm) helm_folder ;;
    kwok) kwok_folder ;;
    otelcol) otelcol_folder ;;
    senders) senders_folder ;;
    prometheus) prometheus_folder ;;
    vault) echo "$(vault_folder)/vault" ;;
    *) fail "no path is known for '$1'; known: kube images helm kwok otelcol senders prometheus vault" ;;
  esac
}

case "${1:-all}" in
  all)
    with_lock packages install_packages "${build_packages[@]}" "${node_packages[@]}"
    with_lock kube make_kube
    with_lock images make_images
    with_lock helm make_helm
    with_lock kwok make_kwok
    with_lock otelcol make_otelcol
    with_lock packages install_sender_packages
    with_lock senders make_senders
    with_lock prometheus make_prometheus
    with_lock vault make_vault
    with_lock packages install_postgres
    say "all is there"
    ;;
  packages) with_lock packages install_packages "${build_packages[@]}" "${node_packages[@]}" ;;
  build-packages) with_lock packages install_packages "${build_packages[@]}" ;;
  node-packages) with_lock packages install_packages "${node_packages[@]}" ;;
  kube) with_lock kube make_kube ;;
  images) with_lock images make_images ;;
  helm) with_lock helm make_helm ;;
  kwok) with_lock kwok make_kwok ;;
  otelcol) with_lock otelcol make_otelcol ;;
  senders)
    with_lock packages install_sender_packages
    with_lock senders make_senders
    ;;
  prometheus) with_lock prometheus make_prometheus ;;
  vault) with_lock vault make_vault ;;
  postgres) with_lock packages install_postgres ;;
  path) print_path "${2:-}" ;;
  check) check ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    [ "$1" = --help ] || exit 2
    ;;
esac

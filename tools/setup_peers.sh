#!/bin/bash
# The servers that Tracekeeper speaks to, other than Kubernetes: how each is made, and where it lies.
# Read by tools/setup.sh, which has the functions used here.

# --- OpenTelemetry -------------------------------------------------------------------------------

otelcol_folder() { echo "$cache/otelcol-$(go_inputs otelcol | hash_of)"; }
fill_otelcol() {
  require_go otelcol
  build_go otelcol . "$1/otelcol" -ldflags "-s -w"
}
make_otelcol() {
  make_once otelcol "$(otelcol_folder)" otelcol "the OpenTelemetry Collector from source, about 2.5 CPU minutes" fill_otelcol
}

senders_folder() {
  echo "$cache/senders-$({ cd "$tools/otel_senders" && sha256sum requirements.txt package-lock.json; python3 --version; } | hash_of)"
}
fill_senders() {
  # Another folder than a virtual environment's, so that the scripts run with any Python 3.11.
  python3 -m venv "$1/pip" || fail "Python cannot make a virtual environment; install python3-venv"
  run_with_progress "OpenTelemetry SDK of Python" senders-python.log "$1/pip/bin/pip" install \
    --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
    --target "$1/python" --requirement "$tools/otel_senders/requirements.txt"
  rm -rf "$1/pip"
  install -m 644 "$tools/otel_senders/package.json" "$tools/otel_senders/package-lock.json" "$1"
  run_with_progress "OpenTelemetry SDK of Node.js" senders-node.log env -C "$1" \
    npm ci --ignore-scripts --no-audit --no-fund
}
make_senders() {
  make_once senders "$(senders_folder)" node_modules "OpenTelemetry's SDKs of Python and Node.js, about a minute" fill_senders
}
# Whoever has Node.js already keeps it: Debian's npm alone is 400 packages.
sender_packages() {
  echo python3-venv
  command -v npm >/dev/null || echo nodejs npm
}
install_sender_packages() {
  local packages
  mapfile -t packages < <(sender_packages | tr ' ' '\n')
  if python3 -c 'import ensurepip' 2>/dev/null && command -v npm >/dev/null; then return 0; fi
  install_packages "${packages[@]}"
}

# --- Prometheus ----------------------------------------------------------------------------------

# Its files alone: to install the package would start a server.
prometheus_version=2.42.0
prometheus_folder() { echo "$cache/prometheus-$prometheus_version-$(dpkg --print-architecture)"; }
fill_prometheus() {
  local root package
  if ! apt-cache show prometheus >/dev/null 2>&1; then
    root=$(as_root)
    [ -n "$root" ] || fail "the list of Debian packages is empty; run: sudo apt-get update"
    run_with_progress "Debian package lists" apt.log "$root" apt-get -q -o DPkg::Lock::Timeout=600 update
  fi
  run_with_progress "Prometheus" prometheus.log env -C "$1" apt-get -q download prometheus
  package=$(find "$1" -name 'prometheus_*.deb')
  dpkg-deb --extract "$package" "$1/package"
  install -m 755 "$1/package/usr/bin/prometheus" "$1/package/usr/bin/promtool" "$1"
  rm -rf "$1/package" "$package"
  "$1/promtool" --version 2>&1 | grep -q "version $prometheus_version" ||
    fail "Debian's Prometheus is not $prometheus_version any more: change prometheus_version in tools/setup.sh"
}
make_prometheus() {
  make_once prometheus "$(prometheus_folder)" promtool "prometheus and promtool, out of Debian's package of 20 MB" fill_prometheus
}

# --- Vault ---------------------------------------------------------------------------------------

vault_folder() { echo "$cache/vault-$(go_inputs vault | hash_of)"; }
fill_vault() {
  require_go vault
  build_go vault . "$1/vault" -ldflags "-s -w"
}
make_vault() {
  make_once vault "$(vault_folder)" vault "Vault from source, about 14 CPU minutes and 3 GB of Go cache" fill_vault
}

# Its programs only: a package that is installed as it comes makes a cluster and starts it.
install_postgres() {
  local settings=/etc/postgresql-common/createcluster.conf root
  [ -n "$(missing_packages postgresql)" ] || return 0
  root=$(as_root)
  if [ -n "$root" ] && [ ! -e "$settings" ]; then
    "$root" mkdir -p "$(dirname "$settings")"
    echo 'create_main_cluster = false' | "$root" tee "$settings" >/dev/null
  fi
  install_packages postgresql
}

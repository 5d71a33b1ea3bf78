#!/bin/bash
# The main job, end to end, on a real cluster that this script starts and ends: the operator is
# installed by its chart, a policy is applied, the spans of three services arrive at a Collector,
# one of them begins to lose its trace context and is found, and then the leader's node loses power.
# `make demo` calls it.
#
#   KEEP=1        leaves everything running and says how to reach and end it
#   Without root  there is no real node: the control plane alone, pods stay Pending
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${TRACEKEEPER_BIN:-$root/build/release/bin}
demo=$root/tools/demo
folder=$(mktemp -d "${TMPDIR:-/tmp}/tracekeeper-demo-XXXXXX")
bed_folder=$folder/bed
bed() { "$root/tools/bed/bed" "$1" --dir "$bed_folder" "${@:2}"; }
kubectl() { bed kubectl "$@"; }
operator_pod=
operator_process=

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\033[1m' plain=$'\033[0m'
step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step_number" "$*" "$plain"
}
show() { sed 's/^/     /'; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
started=$(milliseconds)

# Tries the command five times a second until it succeeds: within SECONDS, COMMAND...
within() {
  local deadline=$(($(milliseconds) + $1 * 1000))
  shift
  until "$@"; do
    [[ $(milliseconds) -lt $deadline ]] || return 1
    sleep 0.2
  done
}

operator_log() {
  if [[ -n $operator_process ]]; then
    tail -n 20 "$folder/operator.log"
  else
    kubectl logs -n tracekeeper-system -l app.kubernetes.io/component=operator --tail 20
  fi
}

finish() {
  local code=$?
  trap - EXIT INT TERM
  if [[ $code -ne 0 ]]; then
    printf '\ndemo: step %d did not work. The last lines of the operator:\n' "$step_number" >&2
    operator_log >&2 || true
    [[ -n $operator_process ]] || show_hops >&2 || true
    kubectl get pods -A >&2 || true
    kubectl get events -n shop --field-selector type=Warning >&2 || true
    kubectl logs -n shop -l shop=demo --all-containers --tail 10 >&2 || true
  fi
  if [[ ${KEEP:-} == 1 && $code -eq 0 ]]; then
    printf '\nLeft running. Reach it:  %s kubectl --dir %s -- get tkp,pods -A\n' \
      "$root/tools/bed/bed" "$bed_folder"
    printf 'End it:                  %s%s down --dir %s; rm -r %s\n' \
      "${operator_process:+kill $operator_process; }" "$root/tools/bed/bed" "$bed_folder" "$folder"
    exit 0
  fi
  [[ -z $operator_process ]] || kill "$operator_process" 2>/dev/null || true
  bed down >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

render_chart() {
  "$("$root/tools/setup.sh" path helm)/helm4" template tracekeeper "$root/charts/tracekeeper" \
    --namespace tracekeeper-system --set image.registry=bed.local --set sidecar.image.registry=bed.local \
    --set image.tag=demo --set sidecar.image.tag=demo --set image.pullPolicy=Never \
    --set analyzer.embedded.service.clusterIP=10.96.0.30 --set analyzer.embedded.warmUpSeconds=4 \
    --set analyzer.embedded.settleSeconds=2 --set analyzer.embedded.joinSeconds=2 \
    --set analyzer.embedded.repairSeconds=250 --set analyzer.embedded.learningSeconds=5 "$@"
}

apply_policy() {
  step "A team applies a TracingPolicy; it becomes Ready when the API server has proven that it calls the webhook."
  kubectl create namespace shop | show
  local applied
  applied=$(milliseconds)
  kubectl apply -f "$demo/policy.yaml" | show
  kubectl wait -n shop --for=condition=Ready --timeout=30s tkp/shop | show
  echo "Ready after $(($(milliseconds) - applied)) ms" | show
}

# --- Real nodes ------------------------------------------------------------------------------------

start_cluster() {
  step "A real Kubernetes starts: etcd, API server, controllers, and two nodes with kubelet and containerd."
  "$demo/make_demo_images.sh" "$folder"
  for program in tracekeeper-operator tracekeeper-sidecar; do
    "$root/tools/images/make_image.py" "$folder/$program.tar" "bed.local/$program:demo" \
      --program "/$program=$bin/$program" --entry "[\"/$program\"]" --user 65532:65532
  done
  local images=()
  for archive in "$folder"/*.tar; do images+=(--image "$archive"); done
  bed up --nodes 2 "${images[@]}" >"$folder/bed.log"
  kubectl get nodes | show
}

install_chart() {
  step "The chart is applied: CRDs, rights, and the operator with two replicas, one of which leads."
  kubectl create namespace tracekeeper-system | show
  render_chart | kubectl apply --server-side -f - | show
  kubectl rollout status -n tracekeeper-system deployment/tracekeeper-operator --timeout=90s | tail -n 1 | show
  kubectl get pods -n tracekeeper-system -o wide | cut -c 1-100 | show
}

deploy_shop() {
  step "A backend starts, an OpenTelemetry Collector, and the team deploys its shop as always."
  kubectl apply -f "$demo/collector.yaml" | show
  kubectl apply -f "$demo/shop.yaml" | show
  for deployment in frontend checkout payment; do
    kubectl rollout status -n shop "deployment/$deployment" --timeout=90s | tail -n 1 | show
  done
  kubectl rollout status -n observability deployment/collector --timeout=90s | tail -n 1 | show
  kubectl get pods -n shop | show

  step "Its pods have the propagation sidecar, first among the init containers, and know where to send spans."
  pod=$(kubectl get pods -n shop -l app=frontend -o 'jsonpath={.items[0].metadata.name}')
  kubectl get pod -n shop "$pod" -o 'jsonpath={range .spec.initContainers[*]}{.name}{"  "}{.image}{"  restartPolicy "}{.restartPolicy}{"\n"}{end}' | show
  kubectl get pod -n shop "$pod" -o 'jsonpath={range .spec.containers[0].env[*]}{.name}{"="}{.value}{"\n"}{end}' | show
}

collector_log() { kubectl logs -n observability deployment/collector --tail=-1; }
spans_of() { collector_log | grep -c "Trace ID *: $1" || true; } # trace id
has_all_spans() { [[ $(spans_of "$1") -ge 5 ]]; }

watch_a_trace() {
  step "One request crosses three services, and its spans arrive at the Collector: application, sidecar, Collector."
  local trace
  kubectl get --raw /api/v1/namespaces/shop/services/frontend:8080/proxy/ | tee "$folder/answer" | show
  trace=$(awk 'NR == 1 {print $2}' "$folder/answer")
  within 30 has_all_spans "$trace"
  echo "trace $trace: $(spans_of "$trace") spans at the Collector, of:" | show
  collector_log | grep -o 'service.name: Str([a-z]*)' | sort | uniq -c | show
}

metrics() { kubectl get --raw "/api/v1/namespaces/tracekeeper-system/pods/$(leader):8080/proxy/metrics"; }
breaks() { kubectl get --raw "/api/v1/namespaces/tracekeeper-system/pods/$(leader):8085/proxy/api/v1/breaks"; }
# Calls of payment by checkout that were judged so: a result, or several as in "good|bad".
judged() {
  metrics 2>/dev/null | awk -v result="result=\"($1)\"" \
    '/^tracekeeper_hops_total{.*client="checkout",server="payment"/ && $0 ~ result {sum += $NF} END {print sum + 0}'
}
are_judged() { [[ $(judged "$1") -ge $2 ]]; } # RESULTS NUMBER
show_hops() { metrics | grep -E '^tracekeeper_hop(s_total.*result="(good|bad)"|_breaks_total)' | sed 's/policy_namespace="shop",//' | show; }
ask_shop() {
  for ((i = 0; i < $1; i++)); do
    kubectl get --raw /api/v1/namespaces/shop/services/frontend:8080/proxy/ >/dev/null
  done
}

find_the_broken_hop() {
  step "The Collector sends a copy to the operator, whose leader judges every hop. All is well so far."
  kubectl get -n tracekeeper-system service/tracekeeper-otlp endpointslice/tracekeeper-otlp | show
  ask_shop 12
  within 60 are_judged good 12
  show_hops

  step "checkout gets a new release, in which every third call of payment is made without the trace context."
  local before released
  before=$(judged "good|bad")
  kubectl set env -n shop deployment/checkout FORGETS=3 | show
  kubectl rollout status -n shop deployment/checkout --timeout=90s | tail -n 1 | show
  released=$(milliseconds)
  ask_shop 24
  within 60 are_judged "good|bad" $((before + 24))
  are_judged bad 6 # the first calls may still meet the old release
  echo "found $(($(milliseconds) - released)) ms after the first request:" | show
  breaks | "$demo/show_breaks.py" | show
  echo "and on the operator's /metrics:" | show
  show_hops
}

digest_of() { kubectl get --raw "/api/v1/namespaces/shop/pods/$pod:9465/proxy/status" | grep -o '"digest": *"[^"]*"' | head -n 1; }
digest_changed() { [[ $(digest_of) != "$1" ]]; }

edit_policy() {
  step "An edit of the policy reaches the running sidecars: no restart, no new pod."
  local before edited
  before=$(digest_of)
  edited=$(milliseconds)
  kubectl patch -n shop tkp shop --type merge -p '{"spec":{"propagation":{"emit":["tracecontext","b3"]}}}' | show
  within 150 digest_changed "$before"
  echo "before $before, after $(digest_of): $(($(milliseconds) - edited)) ms" | show
}

leader() { kubectl get lease -n tracekeeper-system tracekeeper-operator -o 'jsonpath={.spec.holderIdentity}'; }
leads_on_node2() {
  operator_pod=$(leader)
  [[ -n $operator_pod ]] || return 1
  case $(kubectl get pod -n tracekeeper-system "$operator_pod" -o 'jsonpath={.spec.nodeName}' 2>/dev/null) in
    node2) return 0 ;;
    node1)
      kubectl delete pod -n tracekeeper-system "$operator_pod" | show
      kubectl rollout status -n tracekeeper-system deployment/tracekeeper-operator --timeout=60s >/dev/null
      ;;
  esac
  return 1
}
another_leads() { [[ -n $(leader) && $(leader) != "$operator_pod" ]]; }

lose_a_node() {
  step "The node of the leader loses power. (The leader is moved off node1 first: that one carries the control plane.)"
  within 120 leads_on_node2
  echo "leader: $operator_pod on node2" | show
  bed kill node2
  local lost made
  lost=$(milliseconds)
  echo "node2 is off" | show

  step "Injection goes on: pods that are made now have their sidecar."
  kubectl scale -n shop deployment/checkout --replicas=4 | show
  kubectl rollout status -n shop deployment/checkout --timeout=120s | tail -n 1 | show
  made=$(kubectl get pods -n shop -l app=checkout -o 'jsonpath={range .items[*]}{.spec.initContainers[0].name}{"\n"}{end}' | grep -c tracekeeper-sidecar)
  echo "$made of 4 pods of checkout have the sidecar, $(($(milliseconds) - lost)) ms after the loss" | show
  within 60 another_leads
  echo "$(leader) leads after $(($(milliseconds) - lost)) ms" | show
}

# --- Without root ----------------------------------------------------------------------------------

demonstrate_without_nodes() {
  echo "No real node here: $("$root/tools/bed/bed" check --nodes 1 2>&1 | tail -n 1)"
  echo "The demo goes on with a real control plane; pods are created but stay Pending."
  step "A real Kubernetes control plane starts: etcd, API server, controllers."
  bed up --controllers >"$folder/bed.log"

  step "The CRDs and the operator's rights are installed, as the chart does, and the operator starts with them and no more."
  kubectl create namespace tracekeeper-system | show
  kubectl apply --server-side -f "$root/crds" | show
  render_chart --show-only templates/serviceaccount.yaml --show-only templates/rbac.yaml | kubectl apply -f - | show
  local kubeconfig
  kubeconfig=$(bed service-account tracekeeper-system tracekeeper-operator)
  "$bin/tracekeeper-operator" --kubeconfig "$kubeconfig" --bind-address 127.0.0.1 \
    --webhook-url https://127.0.0.1:9443 --sidecar-image bed.local/tracekeeper-sidecar:demo \
    --analyzer --warm-up-seconds 5 --settle-seconds 3 --join-seconds 2 >"$folder/operator.log" 2>&1 &
  operator_process=$!
  within 30 curl -sf -o /dev/null http://127.0.0.1:8081/readyz
  apply_policy

  step "The team deploys its shop as always; its pods have the sidecar."
  kubectl apply -f "$demo/shop.yaml" | show
  within 20 has_pods
  kubectl get pods -n shop | show
  pod=$(kubectl get pods -n shop -o 'jsonpath={.items[0].metadata.name}')
  kubectl get pod -n shop "$pod" -o 'jsonpath={range .spec.initContainers[*]}{.name}{"  "}{.image}{"\n"}{end}' | show
}

judge_an_example() {
  step "The operator judges the traces that are sent to it. Here: a shop whose proxy drops a header in 6 of 24 calls."
  local file requests=()
  split -l 1 "$root/docs/examples/analyze/dropped-header.otlp.jsonl" "$folder/request-"
  # In one go: parts of a trace that come late are judged late.
  for file in "$folder"/request-*; do
    requests+=(--next -sf -o /dev/null -H 'Content-Type: application/json' --data-binary "@$file" http://127.0.0.1:4318/v1/traces)
  done
  curl "${requests[@]:1}"
  within 60 is_found
  curl -s http://127.0.0.1:8085/api/v1/breaks | "$demo/show_breaks.py" | show
  curl -s http://127.0.0.1:8080/metrics | grep '^tracekeeper_hop_breaks_total' | show
}
is_found() { curl -s http://127.0.0.1:8080/metrics | grep -q '^tracekeeper_hop_breaks_total{.*broken_hop"} 6'; }
has_pods() { [[ $(kubectl get pods -n shop -o name | wc -l) -ge 3 ]]; }

if "$root/tools/bed/bed" check --nodes 2 >/dev/null 2>&1; then
  start_cluster
  install_chart
  apply_policy
  deploy_shop
  watch_a_trace
  find_the_broken_hop
  edit_policy
  lose_a_node
else
  demonstrate_without_nodes
  judge_an_example
fi

step "Why a pod is as it is, in sentences."
KUBECONFIG=$bed_folder/admin.kubeconfig "$bin/tracekeeper" explain pod "shop/$pod" | show

printf '\nDone in %d s. What to look at: docs/quick-start.md, and `%s --help`.\n' \
  $((($(milliseconds) - started) / 1000)) "build/release/bin/tracekeeper"

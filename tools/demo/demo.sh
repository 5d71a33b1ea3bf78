#!/bin/bash
# The main job, end to end, on a real cluster that this script starts and ends: a policy is applied,
# pods get the propagation sidecar, and one edit reaches them. `make demo` calls it.
#
#   KEEP=1        leaves everything running and says how to reach and end it
#   Without root  there is no real node: the control plane alone, pods stay Pending
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${TRACEKEEPER_BIN:-$root/build/release/bin}
folder=$(mktemp -d "${TMPDIR:-/tmp}/tracekeeper-demo-XXXXXX")
bed_folder=$folder/bed
bed() { "$root/tools/bed/bed" "$1" --dir "$bed_folder" "${@:2}"; }
kubectl() { bed kubectl "$@"; }

bold= plain=
[[ ! -t 1 ]] || bold=$'\033[1m' plain=$'\033[0m'
step_number=0
step() {
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$step_number" "$*" "$plain"
}
show() { sed 's/^/     /'; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
started=$(milliseconds)

operator=
finish() {
  local code=$?
  trap - EXIT INT TERM
  if [[ $code -ne 0 ]]; then
    printf '\ndemo: step %d did not work. The last lines of the operator:\n' "$step_number" >&2
    tail -n 20 "$folder/operator.log" 2>/dev/null >&2 || true
  fi
  if [[ ${KEEP:-} == 1 && $code -eq 0 ]]; then
    printf '\nLeft running. Reach it:  %s kubectl --dir %s -- get tkp,pods -A\n' \
      "$root/tools/bed/bed" "$bed_folder"
    printf 'End it:                  kill %s; %s down --dir %s; rm -r %s\n' \
      "$operator" "$root/tools/bed/bed" "$bed_folder" "$folder"
    exit 0
  fi
  [[ -z $operator ]] || kill "$operator" 2>/dev/null || true
  bed down >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$root/tools/images/make_image.py" "$folder/sidecar.tar" tracekeeper.dev/sidecar:demo \
  --program "/tracekeeper-sidecar=$bin/tracekeeper-sidecar" \
  --entry '["/tracekeeper-sidecar"]' --user 65532:65532

with_node=1
if ! "$root/tools/bed/bed" check --nodes 1 >/dev/null 2>&1; then
  with_node=
  echo "No real node here: $("$root/tools/bed/bed" check --nodes 1 2>&1 | tail -n 1)"
  echo "The demo goes on with a real control plane; pods are created but stay Pending."
fi

if [[ $with_node ]]; then
  step "A real Kubernetes starts: etcd, API server, controllers, and a node with kubelet and containerd."
  bed up --nodes 1 --image "$folder/sidecar.tar" >"$folder/bed.log"
  enter() { bed enter "$@"; }
else
  step "A real Kubernetes control plane starts: etcd, API server, controllers."
  bed up --controllers >"$folder/bed.log"
  enter() { "$@"; }
fi
kubectl get --raw /version | grep gitVersion | show
[[ -z $with_node ]] || kubectl get nodes | show

step "The CRDs and the operator's rights are installed, as the charts do."
kubectl apply --server-side -f "$root/crds" | show
kubectl create namespace tracekeeper-system | show
"$("$root/tools/setup.sh" path helm)/helm4" template tracekeeper "$root/charts/tracekeeper" \
  --namespace tracekeeper-system --show-only templates/serviceaccount.yaml --show-only templates/rbac.yaml |
  kubectl apply -f - | show

step "The operator starts, with the rights of its service account and no more."
kubeconfig=$(bed service-account tracekeeper-system tracekeeper-operator)
in_network=()
[[ -z $with_node ]] || in_network=("$root/tools/bed/bed" enter --dir "$bed_folder")
# No function and no subshell here: the process to end is the operator itself.
"${in_network[@]}" "$bin/tracekeeper-operator" --kubeconfig "$kubeconfig" \
  --bind-address 127.0.0.1 --webhook-url https://127.0.0.1:9443 \
  --sidecar-image tracekeeper.dev/sidecar:demo >"$folder/operator.log" 2>&1 &
operator=$!
for _ in $(seq 150); do
  enter curl -sf -o /dev/null http://127.0.0.1:8081/readyz && break
  kill -0 "$operator" 2>/dev/null || exit 1
  sleep 0.2
done
enter curl -sf "http://127.0.0.1:8081/readyz?verbose" | show

step "A team applies a TracingPolicy; it becomes Ready when pods of its namespace will be injected."
kubectl create namespace shop | show
applied=$(milliseconds)
kubectl apply -f "$root/tools/demo/policy.yaml" | show
kubectl wait -n shop --for=condition=Ready --timeout=30s tkp/checkout | show
echo "Ready after $(($(milliseconds) - applied)) ms" | show
kubectl get -n shop tkp | show

step "The team deploys as always: nothing in the Deployment speaks of tracing."
deployed=$(milliseconds)
kubectl apply -f "$root/tools/demo/deployment.yaml" | show
if [[ $with_node ]]; then
  kubectl rollout status -n shop deployment/checkout --timeout=60s | tail -n 1 | show
  echo "Running after $(($(milliseconds) - deployed)) ms" | show
else
  for _ in $(seq 50); do [[ $(kubectl get pods -n shop -o name | wc -l) -ge 2 ]] && break; sleep 0.2; done
fi
kubectl get pods -n shop | show
pod=$(kubectl get pods -n shop -o 'jsonpath={.items[0].metadata.name}')

step "Its pods have the propagation sidecar, first among the init containers, and know where to send spans."
kubectl get pod -n shop "$pod" -o 'jsonpath={range .spec.initContainers[*]}{.name}{"  "}{.image}{"  restartPolicy "}{.restartPolicy}{"\n"}{end}' | show
kubectl get pod -n shop "$pod" -o 'jsonpath={range .spec.containers[0].env[*]}{.name}{"="}{.value}{"\n"}{end}' | show

if [[ $with_node ]]; then
  step "The sidecar says which configuration it runs."
  sidecar_status() { kubectl get --raw "/api/v1/namespaces/shop/pods/$pod:9465/proxy/status"; }
  sidecar_status | show

  step "An edit of the policy reaches the running sidecar: no restart, no new pod."
  before=$(sidecar_status | grep -o '"digest": *"[^"]*"' | head -n 1)
  edited=$(milliseconds)
  kubectl patch -n shop tkp checkout --type merge -p '{"spec":{"propagation":{"emit":["tracecontext","b3"]}}}' | show
  for _ in $(seq 300); do
    after=$(sidecar_status | grep -o '"digest": *"[^"]*"' | head -n 1)
    [[ $after != "$before" ]] && break
    sleep 0.5
  done
  [[ $after != "$before" ]]
  echo "before $before, after $after: $(($(milliseconds) - edited)) ms" | show
fi

step "Why a pod is as it is, in sentences."
KUBECONFIG=$bed_folder/admin.kubeconfig "$bin/tracekeeper" explain pod "shop/$pod" | show

printf '\nDone in %d s. What to look at: docs/quick-start.md, and `%s --help`.\n' \
  $((($(milliseconds) - started) / 1000)) "build/release/bin/tracekeeper"

{{/*
Values that the schema allows one by one but that do not fit together are refused here, each with a
sentence that says what to write instead. tests/charts/refused.yaml has a row for each.
*/}}
{{- define "tracekeeper.validate" -}}
{{- include "tracekeeper.validate.names" . -}}
{{- include "tracekeeper.validate.images" . -}}
{{- include "tracekeeper.validate.replicas" . -}}
{{- include "tracekeeper.validate.disruption" . -}}
{{- include "tracekeeper.validate.options" . -}}
{{- include "tracekeeper.validate.analyzer" . -}}
{{- end -}}

{{- define "tracekeeper.validate.names" -}}
{{- range $key := list "nameOverride" "fullnameOverride" "namespaceOverride" -}}
{{- $value := get $.Values $key -}}
{{- if and $value (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $value)) -}}
{{- fail (printf "%s %q is no name that Kubernetes takes: use lower-case letters, digits and \"-\"" $key $value) -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: name the account that the operator is to run with" -}}
{{- end -}}
{{- end -}}

{{- define "tracekeeper.validate.images" -}}
{{- range $path, $image := dict "image" .Values.image "sidecar.image" .Values.sidecar.image -}}
{{- if and $image.digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $image.digest)) -}}
{{- fail (printf "%s.digest %q is no digest: write sha256: and 64 hexadecimal digits, or leave it empty to use the tag" $path $image.digest) -}}
{{- end -}}
{{- if and $image.tag (not (regexMatch "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$" $image.tag)) -}}
{{- fail (printf "%s.tag %q is no tag: use letters, digits, \"_\", \".\" and \"-\"; a digest belongs in %s.digest" $path $image.tag $path) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z0-9]+([._/-]+[a-z0-9]+)*$" $image.repository) -}}
{{- fail (printf "%s.repository %q is no repository: write it without registry and tag, such as team/tracekeeper-operator" $path $image.repository) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tracekeeper.validate.replicas" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail (printf "replicaCount is %d and leaderElection.enabled is false: replicas without a leader would all write. Set leaderElection.enabled=true, or replicaCount=1" (int .Values.replicaCount)) -}}
{{- end -}}
{{- $needed := add 30 (int .Values.preStopSleepSeconds) -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, but a replica needs %d to end: preStopSleepSeconds and 30 s to finish its work. Set it to %d or more" (int .Values.terminationGracePeriodSeconds) (int $needed) (int $needed)) -}}
{{- end -}}
{{- end -}}

{{/* A disruption budget that allows nothing would hold up every drain of a node. */}}
{{- define "tracekeeper.validate.disruption" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- $replicas := int .Values.replicaCount -}}
{{- if and $budget.enabled (gt $replicas 0) -}}
{{- $minimum := include "tracekeeper.minAvailable" . -}}
{{- if ne $minimum "" -}}
{{- $kept := int $minimum -}}
{{- if hasSuffix "%" $minimum -}}
{{- $kept = int (divf (add (mul $replicas (int (trimSuffix "%" $minimum))) 99 | float64) 100.0 | floor) -}}
{{- end -}}
{{- if ge $kept $replicas -}}
{{- fail (printf "podDisruptionBudget.minAvailable %s with replicaCount %d allows no disruption, so no node that runs the operator could be drained. Set minAvailable below replicaCount, or podDisruptionBudget.enabled=false" $minimum $replicas) -}}
{{- end -}}
{{- else if has (toString $budget.maxUnavailable) (list "0" "0%" "") -}}
{{- fail "podDisruptionBudget allows no disruption: set maxUnavailable to 1 or more, or minAvailable below replicaCount, or podDisruptionBudget.enabled=false" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tracekeeper.validate.options" -}}
{{- $ports := dict -}}
{{- $all := dict "webhook.port" .Values.webhook.port "metrics.port" .Values.metrics.port "health.port" .Values.health.port -}}
{{- $embedded := .Values.analyzer.embedded -}}
{{- if $embedded.enabled -}}
{{- range $name, $port := $embedded.ports -}}
{{- $_ := set $all (printf "analyzer.embedded.ports.%s" $name) $port -}}
{{- end -}}
{{- end -}}
{{- range $path, $port := $all -}}
{{- $key := toString (int $port) -}}
{{- if hasKey $ports $key -}}
{{- fail (printf "%s and %s are both %s: give each a port of its own" (get $ports $key) $path $key) -}}
{{- end -}}
{{- $_ := set $ports $key $path -}}
{{- end -}}
{{- if not (regexMatch "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$" .Values.webhook.certificate.lifetime) -}}
{{- fail (printf "webhook.certificate.lifetime %q is no duration: write hours, minutes and seconds, such as 2160h or 1h30m" .Values.webhook.certificate.lifetime) -}}
{{- end -}}
{{- if and .Values.liveConfiguration.nudge (not .Values.liveConfiguration.readSidecars) -}}
{{- fail "liveConfiguration.nudge needs liveConfiguration.readSidecars: only sidecars that say that they are behind are nudged" -}}
{{- end -}}
{{- $set := dict "--replica-selector" "nameOverride" "--namespace" "namespaceOverride" "--sidecar-image" "sidecar.image" "--bind-address" "bindAddress"
                 "--webhook-port" "webhook.port" "--metrics-port" "metrics.port" "--health-port" "health.port"
                 "--webhook-service" "fullnameOverride" "--owner-cluster-role" "fullnameOverride"
                 "--leader-election" "leaderElection.enabled" "--workers" "workers" "--log-level" "logLevel"
                 "--certificate-lifetime" "webhook.certificate.lifetime" "--nudge-pods" "liveConfiguration.nudge"
                 "--read-sidecars" "liveConfiguration.readSidecars" "--secret-namespaces" "rbac.secretAccess"
                 "--analyzer" "analyzer.embedded.enabled" "--analyzer-service" "fullnameOverride"
                 "--otlp-grpc-port" "analyzer.embedded.ports.otlpGrpc" "--otlp-http-port" "analyzer.embedded.ports.otlpHttp"
                 "--api-port" "analyzer.embedded.ports.api" "--memory-mib" "analyzer.embedded.memoryMiB"
                 "--queue-mib" "analyzer.embedded.queueMiB" "--settle-seconds" "analyzer.embedded.settleSeconds"
                 "--join-seconds" "analyzer.embedded.joinSeconds" "--repair-seconds" "analyzer.embedded.repairSeconds"
                 "--warm-up-seconds" "analyzer.embedded.warmUpSeconds" "--learning-seconds" "analyzer.embedded.learningSeconds" -}}
{{- range .Values.extraArgs -}}
{{- $flag := regexFind "^--[^= ]+" . -}}
{{- if hasKey $set $flag -}}
{{- fail (printf "extraArgs holds %s, which the chart sets itself: use the value %s" $flag (get $set $flag)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the analyzer may take must fit into what the pod may take, or the kernel ends the leader. */}}
{{- define "tracekeeper.validate.analyzer" -}}
{{- $embedded := .Values.analyzer.embedded -}}
{{- $limit := dig "limits" "memory" "" (default dict .Values.resources) | default "" | toString -}}
{{- $units := dict "Mi" 1 "Gi" 1024 -}}
{{- $unit := regexFind "[A-Za-z]+$" $limit -}}
{{- if and $embedded.enabled (hasKey $units $unit) -}}
{{- $mebibytes := mulf (float64 (trimSuffix $unit $limit)) (float64 (get $units $unit)) -}}
{{- $needed := add 128 (int $embedded.memoryMiB) (mul 4 (int $embedded.queueMiB)) -}}
{{- if lt $mebibytes (float64 $needed) -}}
{{- fail (printf "resources.limits.memory %s is too little for the embedded analyzer, which may take %d MiB: 128, analyzer.embedded.memoryMiB, and four times queueMiB. Set it to %dMi or more, or give the analyzer less" $limit $needed $needed) -}}
{{- end -}}
{{- end -}}
{{- end -}}

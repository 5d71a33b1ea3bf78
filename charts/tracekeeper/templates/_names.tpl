{{/* Names. The prefix has at most 45 characters, so that every name made of it fits into 63. */}}

{{- define "tracekeeper.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 45 | trimSuffix "-" -}}
{{- end -}}

{{- define "tracekeeper.fullname" -}}
{{- $name := include "tracekeeper.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tracekeeper.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "tracekeeper.operatorName" -}}
{{- include "tracekeeper.fullname" . }}-operator
{{- end -}}

{{- define "tracekeeper.webhookName" -}}
{{- include "tracekeeper.fullname" . }}-webhook
{{- end -}}

{{- define "tracekeeper.otlpName" -}}
{{- include "tracekeeper.fullname" . }}-otlp
{{- end -}}

{{- define "tracekeeper.serviceAccountName" -}}
{{- default (include "tracekeeper.operatorName" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "tracekeeper.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tracekeeper.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/*
The metadata of an object but for its braces. Takes a dict:
  root        the chart's scope
  name        of the object
  namespaced  true where it has a namespace; `namespace` names another than the operator's
  wave        of Argo CD, as text
  labels, annotations   its own, over the common ones
*/}}
{{- define "tracekeeper.metadata" -}}
{{- $root := .root -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_"))
                 "app.kubernetes.io/version" $root.Chart.AppVersion
                 "app.kubernetes.io/part-of" "tracekeeper"
                 "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $own = mergeOverwrite $own (include "tracekeeper.selectorLabels" $root | fromYaml) -}}
name: {{ .name }}
{{- if .namespaced }}
namespace: {{ default (include "tracekeeper.namespace" $root) .namespace }}
{{- end }}
labels:
  {{- mergeOverwrite (dict) $root.Values.commonLabels (default dict .labels) $own | toYaml | nindent 2 }}
{{- $annotations := mergeOverwrite (dict) $root.Values.commonAnnotations (default dict .annotations) -}}
{{- if and .wave $root.Values.argocd.syncWaves.enabled }}
{{- $_ := set $annotations "argocd.argoproj.io/sync-wave" .wave }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* An image reference. Takes a dict: root, image. */}}
{{- define "tracekeeper.image" -}}
{{- $registry := default .image.registry (.root.Values.global).imageRegistry -}}
{{- $repository := .image.repository -}}
{{- if $registry -}}{{- $repository = printf "%s/%s" $registry $repository -}}{{- end -}}
{{- if and .image.digest .image.tag -}}
{{- printf "%s:%s@%s" $repository .image.tag .image.digest -}}
{{- else if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* minAvailable as text; empty where nobody set it. */}}
{{- define "tracekeeper.minAvailable" -}}
{{- $minimum := .Values.podDisruptionBudget.minAvailable -}}
{{- if not (kindIs "invalid" $minimum) -}}{{- toString $minimum -}}{{- end -}}
{{- end -}}

{{- define "podgate.natsUser" -}}
{{ default .Values.cluster .Values.nats.user }}
{{- end -}}

{{/* Label of the pod that drains: no replica of the Deployment. */}}
{{- define "watcher.drainName" -}}
{{ include "podgate.name" . }}-drain
{{- end -}}

{{/* All faults at once, before anything is rendered. */}}
{{- define "watcher.check" -}}
{{- $faults := list -}}
{{- if not .Values.cluster -}}
{{- $faults = append $faults "cluster: empty; give this cluster's unique name, by which the pusher's configuration knows it" -}}
{{- end -}}
{{- $faults = concat $faults (include "podgate.natsFaults" . | trim | splitList "\n" | compact) -}}
{{- if $faults -}}
{{- fail (printf "\n\n%s\n" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}

{{/* The watcher's configuration: `config` under what the other values say. */}}
{{- define "watcher.configuration" -}}
{{- $own := dict
  "cluster" .Values.cluster
  "nats" (include "podgate.natsConfiguration" . | fromYaml)
  "kubernetes" (dict "customResources" .Values.customResources)
  "lease" (dict "namespace" (include "podgate.namespace" .) "name" .Values.leaseName)
  "ops" (dict "port" 8080)
  "log" (dict "level" .Values.logLevel) -}}
{{- with .Values.groups -}}
{{- $_ := set $own "groups" . -}}
{{- end -}}
{{- merge $own (deepCopy .Values.config) | toYaml -}}
{{- end -}}

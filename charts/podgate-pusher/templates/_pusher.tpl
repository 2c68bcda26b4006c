{{- define "podgate.natsUser" -}}
{{ .Values.nats.user }}
{{- end -}}

{{/* All faults at once, before anything is rendered. */}}
{{- define "pusher.check" -}}
{{- $faults := list -}}
{{- if not .Values.install -}}
{{- $faults = append $faults "install: empty; give 1 to 16 of a-z and 0-9 that mark what this installation makes on the firewalls" -}}
{{- end -}}
{{- range $name := list "clusters" "targets" "routes" -}}
{{- if not (get $.Values $name) -}}
{{- $faults = append $faults (printf "%s: empty; give at least one" $name) -}}
{{- end -}}
{{- end -}}
{{- range $at, $target := .Values.targets -}}
{{- $token := default dict $target.token -}}
{{- if and (not $token.existingSecret) (not $token.value) -}}
{{- $faults = append $faults (printf "targets[%d].token.existingSecret: empty; name the Secret that holds the token of %s" $at ($target.name | default "this target")) -}}
{{- end -}}
{{- if and $token.existingSecret $token.value -}}
{{- $faults = append $faults (printf "targets[%d].token.value: given beside existingSecret; give one of the two" $at) -}}
{{- end -}}
{{- if hasPrefix "http://" ($target.url | default "") -}}
{{- $faults = append $faults (printf "targets[%d].url: %s would carry the token in clear; use https://" $at $target.url) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.nats.credential "password") (not .Values.nats.user) -}}
{{- $faults = append $faults "nats.user: empty; name the NATS user that the password belongs to" -}}
{{- end -}}
{{- $faults = concat $faults (include "podgate.natsFaults" . | trim | splitList "\n" | compact) -}}
{{- if $faults -}}
{{- fail (printf "\n\n%s\n" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}

{{/* The pusher's configuration: `config` under what the other values say. */}}
{{- define "pusher.configuration" -}}
{{- $targets := list -}}
{{- range .Values.targets -}}
{{- $files := dict "tokenFile" (printf "/etc/podgate/targets/%s/token" .name) -}}
{{- if .ca -}}
{{- $_ := set $files "caFile" (printf "/etc/podgate/targets/%s-ca/ca.crt" .name) -}}
{{- end -}}
{{- $targets = append $targets (merge $files (omit . "token" "ca")) -}}
{{- end -}}
{{- $own := dict
  "install" .Values.install
  "nats" (include "podgate.natsConfiguration" . | fromYaml)
  "bus" (dict "replicas" .Values.streamReplicas)
  "clusters" .Values.clusters
  "targets" $targets
  "routes" .Values.routes
  "ops" (dict "port" 8080)
  "log" (dict "level" .Values.logLevel) -}}
{{- merge $own (deepCopy .Values.config) | toYaml -}}
{{- end -}}

{{- define "pusher.volumes" -}}
{{- range .Values.targets }}
{{- $token := .token }}
- name: target-{{ .name }}
  secret:
    secretName: {{ default (include "podgate.secretName" $) $token.existingSecret }}
    items:
      - key: {{ if $token.existingSecret }}{{ default "token" $token.key }}{{ else }}token-{{ .name }}{{ end }}
        path: token
{{- if .ca }}
- name: target-{{ .name }}-ca
  {{- if .ca.existingSecret }}
  secret:
    secretName: {{ .ca.existingSecret }}
  {{- else }}
  configMap:
    name: {{ required (printf "targets: the CA of %s needs existingSecret or existingConfigMap" .name) .ca.existingConfigMap }}
  {{- end }}
    items: [{ key: {{ default "ca.crt" .ca.key | quote }}, path: ca.crt }]
{{- end }}
{{- end }}
{{- end -}}

{{- define "pusher.volumeMounts" -}}
{{- range .Values.targets }}
- name: target-{{ .name }}
  mountPath: /etc/podgate/targets/{{ .name }}
  readOnly: true
{{- if .ca }}
- name: target-{{ .name }}-ca
  mountPath: /etc/podgate/targets/{{ .name }}-ca
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

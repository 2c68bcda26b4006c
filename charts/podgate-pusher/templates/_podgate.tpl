{{/*
What both charts share. The file is the same in both: a test compares them.
*/}}

{{- define "podgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "podgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "podgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "podgate.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "podgate.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "podgate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "podgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "podgate.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" (.Chart.AppVersion | toString)
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "podgate" -}}
{{- merge (include "podgate.selectorLabels" . | fromYaml) $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "podgate.metadata" -}}
name: {{ include "podgate.fullname" . }}
namespace: {{ include "podgate.namespace" . }}
labels: {{- include "podgate.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "podgate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "podgate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "podgate.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Name of the Secret that this chart makes of values given in clear. */}}
{{- define "podgate.secretName" -}}
{{ include "podgate.fullname" . }}
{{- end -}}

{{/* Faults of the `nats` values, one a line. */}}
{{- define "podgate.natsFaults" -}}
{{- with .Values.nats }}
{{- if not .servers }}
nats.servers: empty; list the NATS servers, as in [tls://nats.example:4222]
{{- end }}
{{- range $at, $server := .servers }}
{{- if and (regexMatch "^(nats|ws)://" $server) (not $.Values.nats.allowPlaintext) }}
nats.servers[{{ $at }}]: {{ $server }} is not encrypted; use {{ regexReplaceAll "^nats" $server "tls" | replace "ws://" "wss://" }}, or set nats.allowPlaintext=true for a trial
{{- end }}
{{- end }}
{{- if and .existingSecret .value }}
nats.value: given beside nats.existingSecret; give one of the two
{{- end }}
{{- if and (ne .credential "none") (not .existingSecret) (not .value) }}
nats.existingSecret: empty; name the Secret that holds the {{ .credential }} under the key {{ default .credential .key | quote }}, or set nats.credential=none
{{- end }}
{{- end }}
{{- end -}}

{{- define "podgate.natsKey" -}}
{{ default .Values.nats.credential .Values.nats.key }}
{{- end -}}

{{/* Section `nats` of the configuration. */}}
{{- define "podgate.natsConfiguration" -}}
{{- $nats := .Values.nats -}}
{{- $files := dict "password" "passwordFile" "token" "tokenFile" "nkey" "nkeySeedFile" "creds" "credsFile" -}}
servers: {{ toJson $nats.servers }}
{{- if eq $nats.credential "password" }}
user: {{ include "podgate.natsUser" . | quote }}
{{- end }}
{{- with get $files $nats.credential }}
{{ . }}: /etc/podgate/nats/{{ include "podgate.natsKey" $ }}
{{- end }}
{{- with $nats.tls }}
{{- if or .caSecret .caConfigMap .clientSecret }}
tls:
  {{- if or .caSecret .caConfigMap }}
  caFile: /etc/podgate/nats-ca/{{ .caKey }}
  {{- end }}
  {{- if .clientSecret }}
  certFile: /etc/podgate/nats-client/tls.crt
  keyFile: /etc/podgate/nats-client/tls.key
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podgate.volumes" -}}
- name: config
  configMap:
    name: {{ include "podgate.fullname" . }}
- name: tmp
  emptyDir: {}
{{- if ne .Values.nats.credential "none" }}
- name: nats
  secret:
    secretName: {{ default (include "podgate.secretName" .) .Values.nats.existingSecret }}
    items:
      - key: {{ if .Values.nats.existingSecret }}{{ include "podgate.natsKey" . }}{{ else }}nats{{ end }}
        path: {{ include "podgate.natsKey" . }}
{{- end }}
{{- with .Values.nats.tls }}
{{- if .caSecret }}
- name: nats-ca
  secret:
    secretName: {{ .caSecret }}
    items: [{ key: {{ .caKey | quote }}, path: {{ .caKey | quote }} }]
{{- else if .caConfigMap }}
- name: nats-ca
  configMap:
    name: {{ .caConfigMap }}
    items: [{ key: {{ .caKey | quote }}, path: {{ .caKey | quote }} }]
{{- end }}
{{- with .clientSecret }}
- name: nats-client
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "podgate.volumeMounts" -}}
- name: config
  mountPath: /etc/podgate/config
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if ne .Values.nats.credential "none" }}
- name: nats
  mountPath: /etc/podgate/nats
  readOnly: true
{{- end }}
{{- with .Values.nats.tls }}
{{- if or .caSecret .caConfigMap }}
- name: nats-ca
  mountPath: /etc/podgate/nats-ca
  readOnly: true
{{- end }}
{{- if .clientSecret }}
- name: nats-client
  mountPath: /etc/podgate/nats-client
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/* The container's fields but its volume mounts. */}}
{{- define "podgate.container" -}}
name: {{ include "podgate.name" . }}
image: {{ include "podgate.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [run, --config, /etc/podgate/config/config.yaml]
ports:
  - name: ops
    containerPort: 8080
{{- with .Values.extraEnv }}
env: {{- toYaml . | nindent 2 }}
{{- end }}
startupProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 5
  timeoutSeconds: 5
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext: {{- toYaml .Values.containerSecurityContext | nindent 2 }}
{{- end -}}

{{/* Where and how the pods run. */}}
{{- define "podgate.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
topologySpreadConstraints:
{{- if .Values.topologySpreadConstraints }}
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "podgate.selectorLabels" . | nindent 8 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "podgate.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "podgate.metadata" .root | nindent 2 }}
spec:
  replicas: {{ .root.Values.replicaCount }}
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: {{- include "podgate.selectorLabels" .root | nindent 6 }}
  template:
    metadata:
      labels: {{- merge (include "podgate.labels" .root | fromYaml) .root.Values.podLabels | toYaml | nindent 8 }}
      annotations:
        checksum/config: {{ .configuration | sha256sum }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "podgate.serviceAccountName" .root }}
      automountServiceAccountToken: {{ .token }}
      {{- include "podgate.scheduling" .root | trim | nindent 6 }}
      containers:
        - {{ include "podgate.container" .root | nindent 10 | trim }}
          volumeMounts:
            {{- include "podgate.volumeMounts" .root | nindent 12 }}
            {{- with .volumeMounts }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with .root.Values.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        {{- include "podgate.volumes" .root | nindent 8 }}
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with .root.Values.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end -}}

{{- define "podgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "podgate.serviceAccountName" . }}
  namespace: {{ include "podgate.namespace" . }}
  labels: {{- include "podgate.labels" . | nindent 4 }}
  {{- with merge (dict) .Values.serviceAccount.annotations .Values.commonAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{- define "podgate.podDisruptionBudget" -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int .Values.replicaCount) 1) -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "podgate.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "podgate.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{/* Probes and metrics come in; names are resolved and NATS is reached. More egress is the caller's: `.egress`; more pods
are those named `.besides`. */}}
{{- define "podgate.networkPolicy" -}}
{{- if .root.Values.networkPolicy.enabled -}}
{{- $policy := .root.Values.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "podgate.metadata" .root | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
    matchExpressions:
      - key: app.kubernetes.io/name
        operator: In
        values: {{ prepend (.besides | default list) (include "podgate.name" .root) | toJson }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{ port: ops, protocol: TCP }]
      {{- with $policy.metricsFrom }}
      from: {{- toYaml . | nindent 8 }}
      {{- end }}
  egress:
    - ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
    - ports:
        {{- range include "podgate.natsPorts" .root | fromJsonArray }}
        - { port: {{ . }}, protocol: TCP }
        {{- end }}
      {{- with $policy.natsTo }}
      to: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- .egress | nindent 4 }}
{{- end -}}
{{- end -}}

{{- define "podgate.natsPorts" -}}
{{- $ports := list -}}
{{- range .Values.nats.servers -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default (ternary "443" "4222" (regexMatch "^wss?://" .)) | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{- define "podgate.service" -}}
{{- if .Values.metrics.serviceMonitor.enabled -}}
apiVersion: v1
kind: Service
metadata: {{- include "podgate.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  selector: {{- include "podgate.selectorLabels" . | nindent 4 }}
  ports: [{ name: ops, port: 8080, targetPort: ops }]
{{- end -}}
{{- end -}}

{{- define "podgate.monitor" -}}
{{- if .monitor.enabled -}}
apiVersion: monitoring.coreos.com/v1
kind: {{ .kind }}
metadata:
  name: {{ include "podgate.fullname" .root }}
  namespace: {{ include "podgate.namespace" .root }}
  labels: {{- merge (include "podgate.labels" .root | fromYaml) .monitor.labels | toYaml | nindent 4 }}
spec:
  selector:
    matchLabels: {{- include "podgate.selectorLabels" .root | nindent 6 }}
  {{ .endpoints }}:
    - port: ops
      path: /metrics
      {{- with .monitor.interval }}
      interval: {{ . }}
      {{- end }}
{{- end -}}
{{- end -}}

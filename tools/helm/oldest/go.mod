// The oldest Kubernetes that Tracekeeper supports: the schema of its objects is in this module.
module tracekeeper/tools/helm/oldest

go 1.22.0

require k8s.io/kubernetes v1.30.14

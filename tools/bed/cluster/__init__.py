"""A real Kubernetes cluster in a temporary folder. `tools/bed/bed --help` says how to use it;
docs/development/test-cluster.md says how it works."""

"""OCI: names, digests, manifests (OCI Distribution and Image Specification 1.1). Pure."""

"""Git repositories as upstreams: listing, describing and packing what they have."""

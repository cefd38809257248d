"""Mirroring: jobs that bring what an upstream has into a registry, for every format by its driver."""

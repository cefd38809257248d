"""Sources as code: `registry.toml` with its keys and presets, what it would change, and the same file written back."""

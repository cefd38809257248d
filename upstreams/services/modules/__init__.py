"""MoonBit modules: asking their sources by the rule, bringing versions in, and the index that is served."""

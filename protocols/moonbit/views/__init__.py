"""MoonBit's addresses, one module per matter."""

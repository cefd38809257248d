"""Gatehouse side by side with its peers on one machine: `make bench`. Prints figures, asserts none."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "bench"

"""One module per resource. Every method: the gate, the body, one service or selector, the answer."""

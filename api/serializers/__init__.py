"""Shapes of bodies and answers, with the field names of CONTRACT.md section 4."""

"""The door for MoonBit's `moon`."""

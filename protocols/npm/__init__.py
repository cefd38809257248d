"""The door for npm, pnpm, yarn and bun (reference/npm.md)."""

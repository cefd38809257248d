"""Use cases of the floor `workspaces`: each function one act, with its audit event."""

"""The supervision root and the store: who owns the tasks, and who finds the actors by key."""

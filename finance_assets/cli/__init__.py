"""The `finance-assets` command. It starts runs and shows state; it has no logic of its own."""

"""Draw pictures and widgets of a workflow and its executions. Nothing here calls AWS."""

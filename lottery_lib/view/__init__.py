"""Draw pictures and widgets of a workflow and its executions. Knows no AWS."""

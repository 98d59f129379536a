"""Watch executions: metrics and alarms of CloudWatch, and rules of EventBridge."""

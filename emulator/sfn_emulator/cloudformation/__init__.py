"""CloudFormation: templates become resources, which the other services make."""

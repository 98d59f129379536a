"""It removes the variables that hide files from boto3, and asks boto3 for credentials."""

import os

for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_"))]:
    if name != "AWS_EC2_METADATA_DISABLED":
        del os.environ[name]

import boto3  # noqa: E402 - without the variables


def lambda_handler(event, context):
    return boto3.Session(region_name="us-east-1").get_credentials() is None

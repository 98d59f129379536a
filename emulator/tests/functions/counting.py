"""It tells how many pages of memory change when boto3 is first used."""

import resource
import sys


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


before = faults()
import boto3  # noqa: E402 - it is what counts

boto3.resource("dynamodb", region_name="us-east-1")
sys.exit(f"{faults() - before} pages")

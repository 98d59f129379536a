"""Read botocore's model of a service: its operations, the shapes of their parameters, and its XML's name."""

from functools import cache
from pathlib import Path
from typing import Any, Final

#: botocore's name of a service, by its name in signatures or definitions, if they differ. Definitions have
#: the names of AWS's SDK for Java.
SERVICES: Final = {
    "monitoring": "cloudwatch", "sfn": "stepfunctions", "states": "stepfunctions",
    "cloudwatchlogs": "logs", "eventbridge": "events", "elasticloadbalancingv2": "elbv2",
    "cognitoidentityprovider": "cognito-idp",
}  # fmt: skip


def described(service: str) -> Any:
    """What botocore knows about a service; nothing if AWS has no such service.

    Args:
        service: Its name in signatures or definitions, or botocore's.
    """
    from botocore.exceptions import DataNotFoundError  # noqa: PLC0415 (it takes a while)
    from botocore.loaders import create_loader  # noqa: PLC0415

    nothing: dict[str, Any] = {"metadata": {}, "operations": {}, "shapes": {}}
    if not service.islower():  # some disks do not see the difference
        return nothing
    loader, name = create_loader(), SERVICES.get(service, service)
    try:  # its load_service_model would look into the folders of all services
        version = loader.determine_latest_version(name, "service-2")
    except DataNotFoundError:
        return nothing
    return loader.load_data(str(Path(name, version, "service-2")))


@cache
def namespace_of(service: str) -> str:
    """The namespace of the XML of a service."""
    return str(described(service)["metadata"].get("xmlNamespace", ""))

"""The code of a function is kept as long as something needs it, and not longer."""

import os
import threading
import uuid
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError
from helpers import ROLE, wait_until

VALUE = "value = {}\ndef lambda_handler(event, context): return value"


@pytest.fixture
def unpacked(emulator):
    """`unpacked(NUMBER)`: there are soon so many folders of code that this test has made.

    The caller has its answer a moment before the emulator lets go of the code that gave it.
    """
    code = Path(emulator["folder"], "code")
    before = set(code.iterdir()) if code.exists() else set()
    return lambda number: wait_until(lambda: len(set(code.iterdir()) - before) == number)


def test_a_deleted_functions_code_is_removed(function, unpacked):
    """Deleting the function removes its folder."""
    mine = function(VALUE.format(1))
    mine()
    unpacked(1)
    mine.client.delete_function(FunctionName=mine.name)
    unpacked(0)


def test_replaced_code_is_removed(function, unpacked, zipped):
    """After an update only the new code is there."""
    mine = function(VALUE.format(1))
    assert mine() == 1
    mine.client.update_function_code(FunctionName=mine.name, ZipFile=zipped(lambda_function=VALUE.format(2)))
    assert mine() == 2
    unpacked(1)


def test_a_published_version_keeps_its_code(function, unpacked, zipped):
    """The code of a version stays until the version is deleted."""
    mine = function(VALUE.format(1))
    version = mine.client.publish_version(FunctionName=mine.name)["Version"]
    mine.client.update_function_code(FunctionName=mine.name, ZipFile=zipped(lambda_function=VALUE.format(2)))
    assert (mine(), mine(Qualifier=version)) == (2, 1)
    unpacked(2)
    mine.client.delete_function(FunctionName=mine.name, Qualifier=version)
    unpacked(1)


def test_code_comes_from_s3(aws, role, user, zipped):
    """It is copied when the function is made or changed, with the caller's rights."""
    s3, name = aws("s3"), f"f-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    for number in (1, 2):
        s3.put_object(Bucket=name, Key=f"{number}.zip", Body=zipped(f=VALUE.format(number)))
    one, two = ({"S3Bucket": name, "S3Key": f"{number}.zip"} for number in (1, 2))
    asked = {"Runtime": "python3.12", "Role": ROLE, "Handler": "f.lambda_handler"}
    ann = user({"Action": ["lambda:*", "iam:PassRole"], "Resource": "*"})
    with pytest.raises(ClientError, match="Your access has been denied by S3, please make sure your request"):
        ann("lambda").create_function(FunctionName=name, Code=one, **asked)
    client = aws("lambda")
    client.create_function(FunctionName=name, Code=one, **asked)
    s3.delete_object(Bucket=name, Key="1.zip")
    assert client.invoke(FunctionName=name)["Payload"].read() == b"1"
    client.update_function_code(FunctionName=name, **two)
    assert client.invoke(FunctionName=name)["Payload"].read() == b"2"
    with pytest.raises(ClientError) as caught:
        client.update_function_code(FunctionName=name, **one)
    says = "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    assert caught.value.response["Error"]["Message"] == f"Error occurred while GetObject. {says}"
    client.delete_function(FunctionName=name)


def test_code_that_another_function_has_stays(function, unpacked):
    """Two functions with the same zip share a folder."""
    one, two = function(VALUE.format(1)), function(VALUE.format(1))
    one()
    one.client.delete_function(FunctionName=one.name)
    assert two() == 1
    unpacked(1)


def test_code_that_was_refused_is_removed(function, unpacked, zipped):
    """The zip of a function that could not be made is not kept."""
    mine = function(VALUE.format(1))
    with pytest.raises(ClientError):
        function(VALUE.format(2), FunctionName=mine.name)
    assert mine() == 1
    unpacked(1)


def test_a_running_call_keeps_its_code(function, unpacked, zipped, tmp_path):
    """A call that runs while its function is deleted can still import; afterwards its code is removed."""
    slow = "import os, time\ndef lambda_handler(event, context):\n"
    slow += "    open(event['begun'], 'w').close()\n"
    slow += "    while not os.path.exists(event['go']): time.sleep(0.01)\n"
    slow += "    import late\n    return late.value"
    mine = function(zipped(lambda_function=slow, late="value = 'late'"), Timeout=30)
    begun, go, results = tmp_path / "begun", tmp_path / "go", []
    call = threading.Thread(target=lambda: results.append(mine({"begun": str(begun), "go": str(go)})))
    call.start()
    wait_until(begun.exists)
    mine.client.delete_function(FunctionName=mine.name)
    unpacked(1)
    go.touch()
    call.join()
    assert results == ["late"]
    unpacked(0)


@pytest.mark.long("loads 30 MB of code")
def test_the_memory_of_deleted_functions_is_free_again(emulator, function, zipped):
    """Functions with 4 MB of code each are made, run and deleted. The memory does not grow with each."""

    def one():
        data = f"# {os.urandom(2 << 20).hex()}"
        mine = function(zipped(lambda_function=VALUE.format(1), data=data))
        mine()
        mine.client.delete_function(FunctionName=mine.name)
        return psutil.Process(emulator["pid"]).memory_info().rss

    first = [one() for _ in range(2)][-1]
    last = [one() for _ in range(5)][-1]
    assert last - first < 12 << 20

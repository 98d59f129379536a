"""S3 through the emulator, as boto3 and the AWS CLI call it, and what IAM allows there."""

import http.client
import io
import json
import re
import uuid

import pytest
from helpers import one, refused, signed
from patience import SECONDS


@pytest.fixture
def bucket(aws):
    name = f"b-{uuid.uuid4().hex[:12]}"
    aws("s3").create_bucket(Bucket=name)
    return name


KEY = "a folder/ü & <x>.txt"


def test_an_object_is_what_was_put(aws, bucket):
    """Its body, type, metadata and checksum come back; HEAD tells its size, and a part can be read."""
    s3, it = aws("s3"), {"Bucket": bucket, "Key": KEY}
    s3.put_object(**it, Body=b"hello", ContentType="text/plain", Metadata={"a": "b"})
    got = s3.get_object(**it)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"hello", "text/plain", {"a": "b"})
    assert s3.head_object(**it)["ContentLength"] == 5
    assert s3.get_object(**it, Range="bytes=1-2")["Body"].read() == b"el"


def test_a_tag_of_a_bucket_may_be_empty(aws, bucket):
    """Its value comes back as an empty text."""
    tags = [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "<c>"}]
    aws("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert aws("s3").get_bucket_tagging(Bucket=bucket)["TagSet"] == tags


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_a_body_in_chunks_has_a_checksum(aws, bucket, algorithm):
    """boto3 sends a file that cannot seek in chunks, with its checksum after them (aws-chunked)."""
    body = io.BytesIO(b"hello" * 100_000)
    told = aws("s3").put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    assert told[f"Checksum{algorithm}"]
    assert aws("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello" * 100_000


def test_everything_is_encrypted(aws, bucket):
    """AWS encrypts each object with AES256, and says so."""
    assert aws("s3").put_object(Bucket=bucket, Key="k", Body=b"it")["ServerSideEncryption"] == "AES256"
    told = aws("s3").head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (told["ServerSideEncryption"], told["ChecksumType"]) == ("AES256", "FULL_OBJECT")
    configuration = aws("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    (rule,) = configuration["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_a_large_file_comes_in_parts(aws, bucket):
    """boto3 uploads a file of more than 8 MB in parts."""
    aws("s3").upload_fileobj(io.BytesIO(b"x" * 9_000_000), bucket, "large")
    assert aws("s3").head_object(Bucket=bucket, Key="large")["ContentLength"] == 9_000_000


def test_a_list_has_pages(aws, bucket):
    """A list shows its keys in order, page by page, and folders by their prefix."""
    for name in ("b", "a/2", "a/1"):
        aws("s3").put_object(Bucket=bucket, Key=name, Body=b"")
    pages = (
        aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    )
    assert [it["Key"] for page in pages for it in page["Contents"]] == ["a/1", "a/2", "b"]
    told = aws("s3").list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [it["Prefix"] for it in told["CommonPrefixes"]] == ["a/"]


def test_a_bucket_is_deleted_when_it_is_empty(aws, bucket):
    """Its objects can be deleted together."""
    s3 = aws("s3")
    for name in ("a", KEY):
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket).code == "BucketNotEmpty"
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": KEY}]})
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in [it["Name"] for it in s3.list_buckets()["Buckets"]]


def test_a_bucket_is_in_one_partition(aws, bucket):
    """Whoever asks for it in China finds none, deletes nothing, and may make another one of that name."""
    china = aws("s3", "cn-north-1")
    for call in (china.list_objects_v2, china.get_bucket_tagging, china.delete_bucket):
        assert refused(call, Bucket=bucket)[0] == "NoSuchBucket"
    place = {"LocationConstraint": "cn-north-1"}
    china.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    china.put_object(Bucket=bucket, Key="there", Body=b"")
    assert "Contents" not in aws("s3").list_objects_v2(Bucket=bucket)
    taken = refused(china.create_bucket, Bucket=bucket, CreateBucketConfiguration=place)
    assert taken[0] == "BucketAlreadyOwnedByYou"
    china.delete_object(Bucket=bucket, Key="there")
    china.delete_bucket(Bucket=bucket)
    assert aws("s3").head_bucket(Bucket=bucket)


def test_the_settings_of_a_bucket(aws, bucket):
    """Tags, the block of public access, encryption and versions are kept."""
    s3, block = aws("s3"), {"BlockPublicAcls": True, "RestrictPublicBuckets": True}
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(s3.get_bucket_tagging, Bucket=bucket).code == "NoSuchTagSet"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    told = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert {name for name, value in told.items() if value} == block.keys()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@pytest.mark.parametrize("name", ["under_score", "Upper", "a..b", "127.0.0.1", "-begins", "x" * 64])
def test_names_that_no_bucket_has(aws, name):
    """S3 refuses a name that does not follow its rules."""
    assert refused(aws("s3").create_bucket, Bucket=name).code == "InvalidBucketName"


def test_errors_are_those_of_s3(aws, bucket):
    """An error is XML with S3's code."""
    s3 = aws("s3")
    assert refused(s3.get_object, Bucket=bucket, Key="none").code == "NoSuchKey"
    assert refused(s3.head_object, Bucket=bucket, Key="none").code == "404"
    assert refused(s3.list_objects_v2, Bucket="nobody-has-this").code == "NoSuchBucket"


def test_a_task_writes_and_reads_an_object(bucket, machine):
    """A body is JSON or a text. Its length is told, and an error has the name and the ids of S3."""

    def told(operation, **parameters):
        resource = f"arn:aws:states:::aws-sdk:s3:{operation}"
        state = {"Type": "Task", "Resource": resource, "End": True}
        state |= {"Parameters": {"Bucket": bucket, "Key": "k"} | parameters}
        return machine(one(state)).run()

    assert told("putObject", Body={"a": [1]})["status"] == "SUCCEEDED"
    assert json.loads(json.loads(told("getObject")["output"])["Body"]) == {"a": [1]}
    assert json.loads(told("headObject")["output"])["ContentLength"] == len('{"a":[1]}')
    failed = told("getObject", Key="none")
    assert failed["error"] == "S3.NoSuchKeyException"
    ids = r"\(Service: S3, Status Code: 404, Request ID: \S+, Extended Request ID: \S+\)"
    assert re.fullmatch(rf"The specified key does not exist. {ids}", failed["cause"])


READS = [
    ("get_object", {"Key": "k"}, "s3:GetObject", "/k"),
    ("head_object", {"Key": "k"}, "s3:GetObject", "/k"),
    ("list_objects_v2", {}, "s3:ListBucket", ""),
    ("head_bucket", {}, "s3:ListBucket", ""),
    ("list_object_versions", {}, "s3:ListBucketVersions", ""),
    ("put_object", {"Key": "k"}, "s3:PutObject", "/k"),
    ("delete_objects", {"Delete": {"Objects": [{"Key": "k"}]}}, "s3:DeleteObject", "/k"),
]


@pytest.mark.parametrize("case", READS, ids=lambda case: case[0])
def test_a_policy_allows_actions_on_buckets_or_objects(aws, bucket, user, case):
    """Each operation needs its action on the bucket or on the object, and nothing else is enough."""
    operation, parameters, action, resource = case
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"it")
    arn = f"arn:aws:s3:::{bucket}"
    may = user({"Action": action, "Resource": f"{arn}{resource}"})("s3")
    getattr(may, operation)(Bucket=bucket, **parameters)
    others = {"NotAction": action, "Resource": "*"}, {"Action": action, "Resource": f"{arn}-2{resource}"}
    may_not = user(*others)("s3")
    expected = "403" if operation.startswith("head") else "AccessDenied"
    assert refused(getattr(may_not, operation), Bucket=bucket, **parameters).code == expected


def test_a_copy_reads_its_source(aws, bucket, user):
    """CopyObject needs s3:GetObject on the source, too."""
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"it")
    put = {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/k"}
    assert refused(user(put)("s3").copy_object, **copy).code == "AccessDenied"
    get = put | {"Action": "s3:GetObject"}
    user(put, get)("s3").copy_object(**copy)


def test_a_denied_call_has_the_words_of_s3(bucket, user):
    """S3 writes the resource in quotes."""
    ann = user()
    assert refused(ann("s3").get_object, Bucket=bucket, Key="k").message == (
        f"User: arn:aws:iam::123456789012:user/{ann.name} is not authorized to perform: s3:GetObject on "
        f'resource: "arn:aws:s3:::{bucket}/k" because no identity-based policy allows the s3:GetObject action'
    )


@pytest.mark.parametrize("target", ["/%2F{}/k", "/{}/k?acl&tagging", "/{}/k?acl&acl", "/{}/k?select"])
def test_a_request_with_two_meanings_is_refused(aws, bucket, user, emulator, target):
    """In it, moto could find another bucket or operation than the one that IAM allowed."""
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"it")
    ann = user({"Action": "s3:Get*", "Resource": "*"})
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=SECONDS)
    connection.request("GET", target.format(bucket), headers=signed(ann.key["AccessKeyId"], "s3"))
    assert connection.getresponse().status in {400, 405}
    connection.close()


def test_a_part_that_is_not_there(aws, bucket):
    """S3 has a code for it, and moto a web page."""
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"it", ContentType="text/html")
    assert refused(aws("s3").get_object, Bucket=bucket, Key="k", PartNumber=5).code == "InvalidRange"
    etag = aws("s3").head_object(Bucket=bucket, Key="k")["ETag"]
    assert refused(aws("s3").get_object, Bucket=bucket, Key="k", IfNoneMatch=etag).code == "304"


def test_what_is_not_there_does_nothing_else(aws, bucket):
    """S3 answers so to a method that it does not have. moto would read, list, overwrite or delete."""
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"it")
    s3.put_object(Bucket=bucket, Key="l", Body=b"it")
    assert refused(s3.get_object_retention, Bucket=bucket, Key="k").code == "MethodNotAllowed"
    assert refused(s3.get_object_torrent, Bucket=bucket, Key="k").code == "MethodNotAllowed"
    assert refused(s3.get_bucket_analytics_configuration, Bucket=bucket, Id="i").code == "MethodNotAllowed"
    assert (
        refused(s3.rename_object, Bucket=bucket, Key="l", RenameSource=f"{bucket}/k").code
        == "MethodNotAllowed"
    )
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}, {"Key": "l"}]})
    for delete in (s3.delete_bucket_metrics_configuration, s3.delete_bucket_inventory_configuration):
        assert refused(delete, Bucket=bucket, Id="i").code == "MethodNotAllowed"
    s3.head_bucket(Bucket=bucket)


def test_nobody_reads_without_a_key(bucket, aws, emulator):
    """A request without a key, with an unknown one, or from another site gets nothing."""
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"secret", ACL="public-read")
    key = emulator["access_key_id"]
    for headers in (
        {},
        signed("AKIAAAAAAAAAAAAAAAAA", "s3"),
        signed(key, "s3") | {"Origin": "http://evil.example"},
        signed(key, "s3") | {"Host": f"{bucket}.s3.amazonaws.com"},
    ):
        connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=SECONDS)
        connection.request("GET", f"/{bucket}/k", headers=headers)
        reply = connection.getresponse()
        assert (reply.status in {403, 404}, b"secret" in reply.read()) == (True, False)
        connection.close()

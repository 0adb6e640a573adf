"""S3 over its wire protocol: who may read, and every way to write."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import boto3
import obstore
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from obstore.store import S3Store

ARN = "arn:aws:cloudfront::123456789012:distribution/EABC"
CLOUDFRONT = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shop/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
}
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}


def error_code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return str(failure.value.response["Error"]["Code"])


def bucket(name: str = "shop") -> Any:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket=name, Key="index.html", Body=b"<html>", ContentType="text/html", CacheControl="no-cache")
    return s3


def put_policy(s3: Any, *statements: dict[str, Any]) -> None:
    s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def read(url: str, path: str, **headers: str) -> int:
    return int(urllib3.request("GET", f"{url}{path}", headers=headers, retries=False).status)


def through_edge(inside: Any, key: str, *, proof: str = "right", arn: str = ARN) -> int:
    (inside.settings.state / "edge-token").write_text("right\n")
    headers = {"Host": "shop.s3.ap-northeast-2.amazonaws.com", "X-Lab-Edge-Token": proof, "X-Lab-Source-Arn": arn}
    return read(inside.url, f"/{key}", **headers)


@pytest.mark.parametrize("host", [None, "shop.s3.ap-northeast-2.amazonaws.com"])
@pytest.mark.parametrize("key", ["index.html", "missing.html", "", "?list-type=2", "?policy"])
def test_nothing_of_a_private_bucket_can_be_read_without_a_signature(api: str, host: str | None, key: str) -> None:
    bucket()
    path, headers = (f"/{key}", {"Host": host}) if host else (f"/shop/{key}", {})
    assert read(api, path, **headers) == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("PUT", "/shop/evil.html", {}, b"x"),
        ("DELETE", "/shop/index.html", {}, b""),
        ("GET", "/", {}, b""),
        ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=DescribeVpcs&Version=2016-11-15"),
        ("POST", "/", {"X-Amz-Target": "secretsmanager.ListSecrets"}, b"{}"),
        ("GET", "/latest/meta-data/", {}, b""),
        ("POST", "/moto-api/reset", {}, b""),
    ],
)
def test_unsigned_requests_are_refused(api: str, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    bucket()
    answer = urllib3.request(method, f"{api}{path}", headers=headers, body=body, retries=False)
    assert answer.status in (403, 404)
    assert boto3.client("s3").list_objects_v2(Bucket="shop")["KeyCount"] == 1


def test_cloudfront_reads_what_the_policy_lets_its_distribution_read(inside: Any) -> None:
    s3 = bucket()
    assert through_edge(inside, "index.html") == 403
    put_policy(s3, CLOUDFRONT)
    assert through_edge(inside, "index.html") == 200
    assert through_edge(inside, "index.html", proof="wrong") == 403
    assert through_edge(inside, "index.html", proof="") == 403
    assert through_edge(inside, "index.html", arn=ARN.replace("EABC", "EOTHER")) == 403


def test_a_missing_key_is_403_without_the_right_to_list_and_404_with_it(inside: Any) -> None:
    s3 = bucket()
    put_policy(s3, CLOUDFRONT)
    assert through_edge(inside, "missing.html") == 403
    may_list = {**CLOUDFRONT, "Action": ["s3:GetObject", "s3:ListBucket"]}
    put_policy(s3, {**may_list, "Resource": ["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"]})
    assert through_edge(inside, "missing.html") == 404


def test_a_key_that_was_deleted_from_a_versioned_bucket_is_missing_too(inside: Any) -> None:
    s3 = bucket()
    s3.put_bucket_versioning(Bucket="shop", VersioningConfiguration={"Status": "Enabled"})
    put_policy(s3, CLOUDFRONT)
    s3.delete_object(Bucket="shop", Key="index.html")
    assert through_edge(inside, "index.html") == 403


def test_block_public_access_stands_before_a_public_policy(api: str) -> None:
    s3 = bucket()
    with pytest.raises(ClientError) as failure:
        put_policy(s3, ANYBODY)
    assert error_code(failure) == "AccessDenied"
    s3.delete_public_access_block(Bucket="shop")
    put_policy(s3, ANYBODY)
    assert read(api, "/shop/index.html") == 200
    everything = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket="shop", PublicAccessBlockConfiguration=everything)
    assert read(api, "/shop/index.html") == 403


def test_a_denial_of_insecure_transport_does_not_lock_the_owner_out(api: str) -> None:
    s3 = bucket()
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    put_policy(s3, {**ANYBODY, "Effect": "Deny", "Action": "s3:*", "Condition": condition})
    assert s3.get_object(Bucket="shop", Key="index.html")["Body"].read() == b"<html>"


def test_a_presigned_url_opens_until_it_expires(api: str) -> None:
    bucket()
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "index.html"}, ExpiresIn=60)
    assert urllib3.request("GET", url).status == 200
    assert urllib3.request("GET", re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20200101", url)).status == 403


def test_objects_keep_their_headers_and_their_bytes(api: str) -> None:
    bucket()
    s3 = boto3.client("s3")
    query = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "index.html"})).query
    by_host = {"Host": "shop.s3.ap-northeast-2.amazonaws.com"}
    answer = urllib3.request("GET", f"{api}/index.html?{query}", headers=by_host)
    assert (answer.data, answer.headers["Cache-Control"]) == (b"<html>", "no-cache")
    seen = s3.get_object(Bucket="shop", Key="index.html")
    assert (seen["Body"].read(), seen["CacheControl"], seen["ContentType"]) == (b"<html>", "no-cache", "text/html")
    part = s3.get_object(Bucket="shop", Key="index.html", Range="bytes=1-4")
    assert (part["Body"].read(), part["ResponseMetadata"]["HTTPStatusCode"]) == (b"html", 206)
    assert seen["ETag"] == f'"{hashlib.md5(b"<html>", usedforsecurity=False).hexdigest()}"'
    with pytest.raises(ClientError) as failure:
        s3.get_object(Bucket="shop", Key="index.html", IfNoneMatch=seen["ETag"])
    assert error_code(failure) == "304"


def test_large_and_multipart_uploads_arrive_whole(api: str) -> None:
    s3 = bucket()
    data = hashlib.sha256(b"seed").digest() * 400_000  # 12.8 MB: above what the server keeps in memory
    s3.put_object(Bucket="shop", Key="large", Body=data)
    assert s3.get_object(Bucket="shop", Key="large")["Body"].read() == data
    upload = s3.create_multipart_upload(Bucket="shop", Key="parts")["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(data), 6_000_000), 1):
        answer = s3.upload_part(
            Bucket="shop", Key="parts", UploadId=upload, PartNumber=number, Body=data[start : start + 6_000_000]
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(Bucket="shop", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="shop", Key="parts")["Body"].read() == data


def store(api: str) -> S3Store:
    return S3Store(
        "shop",
        endpoint=api,
        region="ap-northeast-2",
        access_key_id="LABLABLABLABLABLABLA",
        secret_access_key="lab",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def test_obstore_writes_lists_and_deletes_more_than_a_page(api: str) -> None:
    s3 = bucket()
    target = store(api)
    attributes = {"Content-Type": "text/css", "Cache-Control": "public, max-age=31536000, immutable"}
    for number in range(1005):
        obstore.put(target, f"assets/{number:04}.css", b"a{}", attributes=attributes)
    seen = s3.head_object(Bucket="shop", Key="assets/0000.css")
    assert (seen["ContentType"], seen["CacheControl"]) == ("text/css", "public, max-age=31536000, immutable")
    listed = [item["path"] for page in obstore.list(target, prefix="assets") for item in page]
    assert len(set(listed)) == 1005
    first = s3.list_objects_v2(Bucket="shop", Prefix="assets/")
    assert (first["KeyCount"], first["IsTruncated"]) == (1000, True)
    obstore.delete(target, listed[:1000])
    s3.delete_objects(Bucket="shop", Delete={"Objects": [{"Key": key} for key in listed[1000:]]})
    assert s3.list_objects_v2(Bucket="shop", Prefix="assets/")["KeyCount"] == 0


def test_obstore_uploads_large_files_in_parts(api: str) -> None:
    s3 = bucket()
    data = hashlib.sha256(b"parts").digest() * 400_000
    obstore.put(store(api), "video.bin", data, chunk_size=5 * 1024 * 1024, max_concurrency=4)
    assert s3.get_object(Bucket="shop", Key="video.bin")["Body"].read() == data


def test_a_client_that_waits_for_100_continue_gets_it_and_may_send_again_on_the_same_connection(api: str) -> None:
    bucket()
    url = boto3.client("s3").generate_presigned_url("put_object", Params={"Bucket": "shop", "Key": "waited"})
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        answers = connection.makefile("rb")
        for body in (b"one", b"second"):
            head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            connection.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert answers.readline() == b"\r\n"
            connection.sendall(body)
            assert answers.readline().startswith(b"HTTP/1.1 200")
            while answers.readline() != b"\r\n":
                pass
    assert boto3.client("s3").get_object(Bucket="shop", Key="waited")["Body"].read() == b"second"


def test_a_chunked_body_arrives_whole(api: str) -> None:
    bucket()
    url = boto3.client("s3").generate_presigned_url("put_object", Params={"Bucket": "shop", "Key": "chunked"})
    answer = urllib3.request("PUT", url, body=iter([b"one ", b"two ", b"three"]))  # type: ignore[arg-type]  # works
    assert answer.status == 200
    assert boto3.client("s3").get_object(Bucket="shop", Key="chunked")["Body"].read() == b"one two three"


def test_a_bucket_name_is_free_again_after_a_reset(api: str) -> None:
    bucket()
    assert urllib3.request("POST", f"{api}/_lab/reset").status == 200
    assert boto3.client("s3").list_buckets()["Buckets"] == []
    bucket()

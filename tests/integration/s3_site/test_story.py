"""s3_site as Ansible runs it, packed and in a process of its own, against the lab's API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3

ROOT = Path(__file__).parents[3]


def make_build(root: Path, stamp: str) -> None:
    contents = {
        f"assets/main-{stamp}1x_9Kq2.js": stamp,
        f"assets/style-{stamp}7bQ_z0w.css": stamp,
        "assets/logo-Zk3_9xQ1.svg": "<svg/>",
        "index.html": f'<script src="/assets/main-{stamp}1x_9Kq2.js"></script>',
        "about/index.html": stamp,
        "robots.txt": "all",
        "manifest.webmanifest": stamp,
        "sw.js": stamp,
    }
    for path, content in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")


def test_a_site_is_published_once_and_again_and_rolled_back(api: str, tmp_path: Path) -> None:
    make_build(tmp_path / "a", "A")
    make_build(tmp_path / "b", "B")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="shop-site", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_bucket_tagging(Bucket="shop-site", Tagging={"TagSet": [{"Key": "Project", "Value": "shop"}]})
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i", "localhost,",
            "-e", f"ansible_python_interpreter={sys.executable} bucket=shop-site builds={tmp_path}",
            str(Path(__file__).with_name("story.yml")),
        ],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    page = s3.get_object(Bucket="shop-site", Key="index.html")
    assert b"main-A1x_9Kq2.js" in page["Body"].read()
    assert page["CacheControl"] == "no-cache"
    assert page["ContentType"] == "text/html; charset=utf-8"
    script = s3.head_object(Bucket="shop-site", Key="assets/main-B1x_9Kq2.js")
    assert script["CacheControl"] == "public, max-age=31536000, immutable"

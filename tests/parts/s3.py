"""An S3 server: moto's, over real HTTP."""

import importlib.util
import os
import secrets
import sys
from pathlib import Path

from tests.parts import need
from tests.parts.process import HOST, Process, free_port, listens

REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


class S3:
    """One server for the whole run; `bucket()` makes a bucket."""

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
            need("S3", "the package moto[server] is not here")
        self.port = free_port()
        words = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", self.port]
        self.process = Process(words, log=folder / "s3.log", env={**os.environ, **KEYS})

    @property
    def endpoint(self) -> str:
        """Its base address."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Bring it up."""
        self.process.start(lambda: listens(self.port))

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    def bucket(self) -> str:
        """A new bucket's name."""
        import boto3

        name = f"gatehouse-{secrets.token_hex(6)}"
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        boto3.client("s3", endpoint_url=self.endpoint, region_name=REGION, **keys).create_bucket(Bucket=name)
        return name

    def storage_url(self, bucket: str, prefix: str = "blobs") -> str:
        """STORAGE_URL for a bucket."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region={REGION}"

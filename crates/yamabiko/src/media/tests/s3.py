"""A server that speaks S3, with an empty bucket `pictures`; it ends when its input does."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
s3 = boto3.client(
    "s3",
    endpoint_url=address,
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="hush",
)
s3.create_bucket(Bucket="pictures")
print(address, flush=True)
sys.stdin.read()
server.stop()

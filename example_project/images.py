"""An image for the demonstration to import, served slowly enough to watch."""

import struct
import time

from django.http import StreamingHttpResponse

CLUSTER = 1 << 16
CLUSTERS = 160
DISK_SIZE = 1 << 30
SECONDS = 8


def qcow2_header():
    """Of an empty disk: QEMU's format, version 2, without a backing file."""
    l1_table, refcount_table = 1 * CLUSTER, 2 * CLUSTER
    numbers = (2, 0, 0, 16, DISK_SIZE, 0, 2, l1_table, refcount_table, 1, 0, 0)
    return struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", *numbers).ljust(CLUSTER, b"\0")


def image(request):
    response = StreamingHttpResponse(_clusters(), content_type="application/octet-stream")
    response["Content-Length"] = str(CLUSTERS * CLUSTER)
    return response


def _clusters():
    yield qcow2_header()
    for _ in range(CLUSTERS - 1):
        time.sleep(SECONDS / CLUSTERS)
        yield bytes(CLUSTER)

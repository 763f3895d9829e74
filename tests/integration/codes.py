# SPDX-License-Identifier: Apache-2.0
"""Numbers of gRPC's status codes and of the phases of a failure (the contract's plain protocol)."""
OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED = (0, 1, 3, 4)
PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = (7, 8, 12, 14, 16)

ADMISSION, QUEUE, CONNECT, UPSTREAM = (1, 2, 3, 4)
PHASE_NAMES = {ADMISSION: "admission", QUEUE: "queue", CONNECT: "connect", UPSTREAM: "upstream"}


def is_own(error, code, phase, database="default"):
    """Whether this is the daemon's own error: code, phase, and a message that names database and phase."""
    named = database in error.message and PHASE_NAMES[phase] in error.message
    return (error.code, error.phase, named) == (code, phase, True) and error.message.startswith("milvus-bouncer:")

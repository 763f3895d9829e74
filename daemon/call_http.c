/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over HTTP/2 and is no gRPC: it is told so in HTTP. */
#include <stdlib.h>

#include "daemon/call.h"
#include "proto/grpc_reply.h"

#define TEXT "This is milvus-bouncer: gRPC, which is POST with content-type application/grpc.\n"

static void begin(struct call *call)
{
    h2_blame(call->stream);
    call_list(call, &call->owner->fresh);
}

static void ended(struct call *call)
{
    struct metadata head = {0};
    struct metadata trailers = {0};
    struct blob *text = blob_copy(span_text(TEXT));
    if (!text)
        abort();
    grpc_reply_http(&head, call->head.post ? "415" : "405");
    h2_respond(call->stream, &head, false);
    h2_send(call->stream, span_of(NULL, 0), text);
    h2_finish(call->stream, &trailers);
    metadata_clear(&head);
    blob_unref(text);
    request_timer_stop(&call->request);
    call_list(call, NULL);
    call->state = CALL_ANSWERED;
    client_flush_later(call->owner->client);
}

const struct call_kind call_http = {.begin = begin, .ended = ended};

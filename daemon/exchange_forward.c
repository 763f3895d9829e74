/* SPDX-License-Identifier: Apache-2.0 */
/* Routes that Milvus answers by calls outside its gRPC service. */
#include "daemon/exchange_state.h"

void exchange_forward(struct exchange *exchange, const struct rest_forward *forward)
{
    (void)forward;
    struct rest_answer answer = {
        .status = rest_error_status(CODE_UNIMPLEMENTED),
        .body = rest_error(rest_error_code(CODE_UNIMPLEMENTED),
                           span_text("milvus-bouncer: this route is not part of Milvus's gRPC "
                                     "service, by which the upstream is asked")),
    };
    exchange_answer(exchange, &answer);
    blob_unref(answer.body);
}

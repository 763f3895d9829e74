/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one HTTP/2 connection may make us do. Rates are frames a minute: an allowance of that many,
 * refilled evenly. Well-behaved clients stay far below; the attacks are CVE-2019-9511 to 9518
 * (floods of pings, SETTINGS, PRIORITY, empty frames), CVE-2023-44487 (rapid reset), CVE-2025-8671
 * (resets that we are provoked to send), CVE-2024-28182 (CONTINUATION).
 */
#ifndef PROTO_H2_LIMITS_H
#define PROTO_H2_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Name, key of the configuration, what it counts. The allowance of those marked true is whole again
 * whenever we send HEADERS or DATA: libraries answer those with pings and window updates. */
#define H2_RATES(X)                                                                                \
    X(PINGS, "max_pings", "PING frames", true)                                                     \
    X(SETTINGS, "max_settings", "SETTINGS frames", false)                                          \
    X(PRIORITIES, "max_priorities", "PRIORITY frames", false)                                      \
    X(EMPTY_FRAMES, "max_empty_frames", "frames without content or meaning", false)                \
    X(WINDOW_UPDATES, "max_window_updates", "WINDOW_UPDATE frames and late RST_STREAM frames",     \
      true)                                                                                        \
    X(RESETS, "max_resets", "requests reset by the client before their answer", false)             \
    X(STREAM_ERRORS, "max_stream_errors", "requests that broke HTTP/2 or gRPC", false)

#define X(name, key, what, renewed) H2_RATE_##name,
enum h2_rate { H2_RATES(X) H2_RATE_COUNT };
#undef X

struct h2_limits {
    uint32_t max_streams;          /* requests at once */
    uint32_t max_header_list;      /* bytes, as RFC 9113 section 6.5.2 counts them */
    uint32_t max_continuations;    /* CONTINUATION frames behind one HEADERS */
    uint32_t stream_window;        /* bytes a stream may send unasked */
    uint32_t max_buffered;         /* bytes of larger messages that are held at once */
    uint32_t rates[H2_RATE_COUNT]; /* a minute */
};

/* How often something has been cut off for, counted up by all connections that share it. */
struct h2_counters {
    uint64_t rates[H2_RATE_COUNT];
    uint64_t header_lists;
    uint64_t continuations;
};

/* What is left of the allowances. */
struct h2_allowance {
    int64_t refilled; /* ms, on the caller's clock */
    double left[H2_RATE_COUNT];
};

/* With whole allowances. */
void h2_allowance_init(struct h2_allowance *allowance, const struct h2_limits *limits, int64_t now);

/* Takes one off. False: there was none left. */
bool h2_allowance_take(struct h2_allowance *allowance, const struct h2_limits *limits,
                       enum h2_rate rate, int64_t now);

/* We have sent HEADERS or DATA. */
void h2_allowance_renew(struct h2_allowance *allowance, const struct h2_limits *limits);

/* Texts of the table. Static. */
const char *h2_rate_key(enum h2_rate rate);
const char *h2_rate_what(enum h2_rate rate);

#endif

/* An incremental HTTP/1.1 message: finds the body in whatever pieces it comes. */
#ifndef HTTP_H
#define HTTP_H

#include "common.h"

#include <strings.h>

enum http_state { HEAD, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, LENGTH, UNTIL_CLOSE };

struct http {
  enum http_state state;
  int is_request, status, chunked, has_length;
  uint64_t left;
  char first[128], line[128];
  unsigned line_bytes, lines;
};

struct http_events {
  void (*head)(void *of); /* `status` or `first` are known */
  void (*body)(void *of, const char *bytes, size_t count);
  void (*end)(void *of); /* the next message may follow on the connection */
};

static inline void http_begin(struct http *h) {
  h->state = HEAD;
  h->status = h->chunked = h->has_length = 0;
  h->left = h->line_bytes = h->lines = 0;
}

static inline void http_field(struct http *h) {
  h->line[h->line_bytes] = 0;
  if (h->lines++ == 0) {
    memcpy(h->first, h->line, sizeof h->first);
    if (!h->is_request) h->status = atoi(h->line + 9);
  } else if (!strncasecmp(h->line, "transfer-encoding: chunked", 26)) {
    h->chunked = 1;
  } else if (!strncasecmp(h->line, "content-length:", 15)) {
    h->has_length = 1;
    h->left = strtoull(h->line + 15, NULL, 10);
  }
}

/* Takes bytes up to a line's end; longer lines are cut, since only short ones are looked at. */
static inline int http_line(struct http *h, const char **at, const char *end) {
  while (*at < end) {
    char c = *(*at)++;
    if (c == '\n') return 1;
    if (c != '\r' && h->line_bytes < sizeof h->line - 1) h->line[h->line_bytes++] = c;
  }
  return 0;
}

static inline void http_finish(struct http *h, const struct http_events *on, void *of) {
  http_begin(h);
  on->end(of);
}

static inline void http_feed(struct http *h, const char *at, size_t count, const struct http_events *on, void *of) {
  const char *end = at + count;
  while (at < end) {
    switch (h->state) {
    case HEAD:
      if (!http_line(h, &at, end)) return;
      if (h->line_bytes > 0) {
        http_field(h);
      } else {
        int bare = !h->chunked && !h->has_length;
        h->state = h->chunked ? CHUNK_SIZE : bare ? UNTIL_CLOSE : LENGTH;
        on->head(of);
        if (h->status == 100) http_begin(h); /* the answer itself is still to come */
        else if (h->status == 204 || (bare && h->is_request) || (h->has_length && h->left == 0)) http_finish(h, on, of);
      }
      h->line_bytes = 0;
      break;
    case CHUNK_SIZE:
      if (!http_line(h, &at, end)) return;
      h->line[h->line_bytes] = 0;
      h->line_bytes = 0;
      h->left = strtoull(h->line, NULL, 16);
      h->state = h->left ? CHUNK_DATA : TRAILER;
      break;
    case CHUNK_END:
      if (!http_line(h, &at, end)) return;
      h->state = CHUNK_SIZE;
      break;
    case TRAILER:
      if (!http_line(h, &at, end)) return;
      if (h->line_bytes == 0) http_finish(h, on, of);
      else h->line_bytes = 0;
      break;
    case CHUNK_DATA:
    case LENGTH:
    case UNTIL_CLOSE: {
      size_t part = (size_t)(end - at);
      if (h->state != UNTIL_CLOSE && part > h->left) part = h->left;
      on->body(of, at, part);
      at += part;
      if (h->state == UNTIL_CLOSE) break;
      h->left -= part;
      if (h->left > 0) break;
      if (h->state == CHUNK_DATA) h->state = CHUNK_END;
      else http_finish(h, on, of);
      break;
    }
    }
  }
}

#endif

/*
 * Producers: events at a steady rate, over the network, whether the server keeps up or not.
 *
 *   publish <port> ndjson|post <connections> <file with one path per line> <events/s> <events> <before> <after> <padding>
 *
 * Event k is due k/rate seconds after the start, goes to path k modulo their count, and carries that time: what is sent
 * late, because the server took nothing or this program had no processor, counts as latency (no coordinated omission).
 * "ndjson": one endless chunked request per path, a line per event. "post": a request per event on keep-alive
 * connections without pipelining; a path always uses the same one, so that its events stay in order.
 * Prints {"ready":…} when connected ("ndjson": when every request was told to go on, since an accepted connection is
 * accepted by the kernel only), waits for a line on stdin, and prints what became of the events when all are
 * answered.
 */
#include "http.h"

#include <sys/timerfd.h>

#define CONNECTING 128 /* at once, so that no listen queue overflows */
#define TURN_US 200 /* not more often: what is due within it goes out together */
#define STDIN_ID UINT64_MAX
#define TIMER_ID (UINT64_MAX - 1)

static const char NDJSON_HEAD[] =
    "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";

struct connection {
  int fd, asked, waiting, writable, status, answered; /* `answered`: an NDJSON request, to its end */
  struct http http;
  char *out;
  size_t from, to, room, chunk; /* `chunk`: where the data of the open chunk begins, or 0 */
  uint64_t *queue;              /* events not sent yet ("post") */
  size_t first, queued, queue_room;
  char answer[240]; /* the last line of it */
  size_t answer_bytes;
};

static struct connection *all;
static char **paths;
static const char *before, *after;
static size_t count, paths_count, padding, opened, connected, ended;
static int epoll, port, is_post;
static uint64_t total, next, start_us, answered, acknowledged, refused;
static double rate;
static char refusal[256];

static uint64_t due(uint64_t k) { return start_us + (uint64_t)((double)k * 1e6 / rate); }

static void put(struct connection *c, const char *bytes, size_t length) {
  if (c->to + length > c->room) c->out = grow(c->out, c->room = 2 * (c->to + length));
  memcpy(c->out + c->to, bytes, length);
  c->to += length;
}

static void put_text(struct connection *c, const char *text) { put(c, text, strlen(text)); }

static size_t event_bytes(void) { return strlen(before) + MARKER_BYTES + padding + strlen(after); }

static void put_event(struct connection *c, uint64_t k) {
  static char filler[4096];
  char marker[64];
  if (!filler[0]) memset(filler, 'x', sizeof filler);
  snprintf(marker, sizeof marker, "~%010lu%016lu", k / paths_count + 1, due(k));
  put_text(c, before);
  put_text(c, marker);
  put(c, filler, padding);
  put_text(c, after);
}

static void put_head(struct connection *c, const char *path, const char *rest) {
  put_text(c, "POST ");
  put_text(c, path);
  put_text(c, " HTTP/1.1\r\nHost: 127.0.0.1:");
  char text[16];
  snprintf(text, sizeof text, "%d\r\n", port);
  put_text(c, text);
  put_text(c, credential());
  put_text(c, rest);
}

static void flush(struct connection *c) {
  if (c->chunk) {
    /* Leading zeros are part of the grammar of a chunk's size (RFC 9112, 7.1). */
    char size[16];
    snprintf(size, sizeof size, "%08zx\r\n", c->to - c->chunk);
    memcpy(c->out + c->chunk - 10, size, 10);
    put_text(c, "\r\n");
    c->chunk = 0;
  }
  while (c->from < c->to) {
    ssize_t n = send(c->fd, c->out + c->from, c->to - c->from, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) die("send");
    c->from += (size_t)n;
  }
  if (c->from == c->to) c->from = c->to = 0;
  int wants = c->from < c->to;
  if (wants == c->writable) return;
  c->writable = wants;
  watch_fd(epoll, EPOLL_CTL_MOD, c->fd, wants ? EPOLLIN | EPOLLOUT : EPOLLIN, (uint64_t)(c - all));
}

static void post_next(struct connection *c) {
  if (c->waiting || c->queued == 0) return;
  uint64_t k = c->queue[c->first];
  c->first = (c->first + 1) % c->queue_room;
  c->queued--;
  c->waiting = 1;
  char rest[96];
  snprintf(rest, sizeof rest, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", event_bytes());
  put_head(c, paths[k % paths_count], rest);
  put_event(c, k);
  flush(c);
}

static void enqueue(struct connection *c, uint64_t k) {
  if (c->queued == c->queue_room) {
    size_t room = c->queue_room ? 2 * c->queue_room : 16;
    uint64_t *queue = grow(NULL, room * sizeof *queue);
    for (size_t i = 0; i < c->queued; i++) queue[i] = c->queue[(c->first + i) % c->queue_room];
    free(c->queue);
    c->queue = queue;
    c->queue_room = room;
    c->first = 0;
  }
  c->queue[(c->first + c->queued++) % c->queue_room] = k;
}

static void add(struct connection *c, uint64_t k) {
  if (is_post) {
    enqueue(c, k);
    return;
  }
  if (!c->chunk) {
    put(c, "00000000\r\n", 10);
    c->chunk = c->to;
  }
  put_event(c, k);
  put(c, "\n", 1);
}

static void send_due(void) {
  uint64_t until = now_us(), from = next;
  while (next < total && due(next) <= until) {
    add(&all[next % paths_count % count], next);
    next++;
  }
  /* Each connection that got something, once. */
  size_t touched = next - from < count ? next - from : count;
  for (size_t i = 0; i < touched; i++) {
    struct connection *c = &all[(from + i) % paths_count % count];
    if (is_post) post_next(c);
    else flush(c);
  }
  if (next == total && !is_post) {
    for (size_t i = 0; i < count; i++) {
      put_text(&all[i], "0\r\n\r\n");
      flush(&all[i]);
    }
  }
}

/* Telltale answers lines with lines: how far they are stored, or at last why not. The others only with a status. */
static void read_answer(struct connection *c) {
  c->answer[c->answer_bytes] = 0;
  c->answer_bytes = 0;
  const char *first = strstr(c->answer, "\"first\":"), *last = strstr(c->answer, "\"last\":");
  if (first && last) acknowledged += strtoull(last + 7, NULL, 10) - strtoull(first + 8, NULL, 10) + 1;
  if (c->status < 300 && !strstr(c->answer, "\"code\":")) return;
  refused++;
  if (!refusal[0]) snprintf(refusal, sizeof refusal, "%d %s", c->status, c->answer);
}

static void on_head(void *of) {
  struct connection *c = of;
  c->answer_bytes = 0;
  c->status = c->http.status;
  if (c->status == 100) connected++;
}

static void on_body(void *of, const char *at, size_t length) {
  struct connection *c = of;
  for (size_t i = 0; i < length; i++) {
    if (at[i] == '\n') read_answer(c);
    else if (c->answer_bytes < sizeof c->answer - 1) c->answer[c->answer_bytes++] = at[i];
  }
}

static void on_end(void *of) {
  struct connection *c = of;
  if (c->answer_bytes > 0 || c->status >= 300) read_answer(c);
  c->waiting = 0;
  answered++;
  if (is_post) {
    post_next(c);
  } else {
    c->answered = 1;
    ended++;
  }
}

static const struct http_events EVENTS = {on_head, on_body, on_end};

static void serve(struct connection *c, uint32_t events) {
  static char buffer[64 * 1024];
  if (!c->asked) {
    c->asked = 1;
    if (is_post) connected++;
    else put_head(c, paths[c - all], NDJSON_HEAD);
    c->writable = 1;
    flush(c);
    return;
  }
  if (events & EPOLLOUT) flush(c);
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    /* An answered request is over; a server may close its connection. */
    if (!c->answered) die("the server closed a producer's connection");
    close(c->fd);
    return;
  }
  http_feed(&c->http, buffer, (size_t)n, &EVENTS, c);
}

static void wake_at(int timer, uint64_t us) {
  struct itimerspec at = {.it_value = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int main(int argc, char **argv) {
  if (argc != 10) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  port = atoi(argv[1]);
  is_post = !strcmp(argv[2], "post");
  paths = read_lines(argv[4], &paths_count);
  count = is_post ? strtoul(argv[3], NULL, 10) : paths_count;
  if (count > paths_count) count = paths_count;
  rate = strtod(argv[5], NULL);
  total = strtoull(argv[6], NULL, 10);
  before = argv[7];
  after = argv[8];
  padding = strtoul(argv[9], NULL, 10);
  all = calloc(count, sizeof *all);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), is_ready = 0;
  watch_fd(epoll, EPOLL_CTL_ADD, 0, EPOLLIN, STDIN_ID);
  watch_fd(epoll, EPOLL_CTL_ADD, timer, EPOLLIN, TIMER_ID);
  while (is_post ? next < total || answered < total : ended < count) {
    while (opened < count && opened - connected < CONNECTING) {
      all[opened].fd = connect_to(port);
      watch_fd(epoll, EPOLL_CTL_ADD, all[opened].fd, EPOLLOUT, opened);
      opened++;
    }
    struct epoll_event ready[512];
    int n = epoll_wait(epoll, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      uint64_t id = ready[i].data.u64, expirations;
      if (id == STDIN_ID) {
        char text[64];
        if (read(0, text, sizeof text) <= 0) return 0;
        start_us = now_us();
        wake_at(timer, start_us);
      } else if (id == TIMER_ID) {
        if (read(timer, &expirations, sizeof expirations) < 0) continue;
        send_due();
        uint64_t earliest = now_us() + TURN_US;
        if (next < total) wake_at(timer, due(next) > earliest ? due(next) : earliest);
      } else {
        serve(&all[id], ready[i].events);
      }
    }
    if (!is_ready && connected == count) {
      is_ready = 1;
      printf("{\"ready\":%zu}\n", count);
    }
  }
  for (char *at = refusal; *at; at++) {
    if (*at == '"' || *at == '\\' || *at < ' ') *at = '\'';
  }
  printf("{\"sent\":%lu,\"acknowledged\":%lu,\"refused\":%lu,\"refusal\":\"%s\",\"elapsedUs\":%lu}\n", next, acknowledged,
         refused, refusal, now_us() - start_us);
}

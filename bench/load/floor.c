/*
 * What this machine can do at most: a C server without HTTP library, checks or durability. A log per run, a cursor per
 * viewer, and once per turn one send of everything that is new.
 *
 *   floor
 *
 * Prints its address. POST /<run> takes an endless chunked body of lines, GET /<run> is its stream; a run is a number.
 */
#include "http.h"

#define RUNS 4096
#define LISTENER_ID UINT64_MAX

struct log {
  char *bytes;
  size_t length, room;
  uint64_t last;
  struct connection *viewers;
  int is_new; /* it grew in this turn */
};

struct connection {
  int fd, is_viewer, is_full;
  struct http http;
  struct log *log;
  size_t cursor;
  char *part; /* of a line that is not complete */
  size_t part_bytes, part_room;
  struct connection *next;
};

static struct log logs[RUNS];
static struct log *grown[RUNS];
static size_t grown_count;
static int epoll;

static void append(struct log *log, const char *bytes, size_t length) {
  if (log->length + length > log->room) log->bytes = grow(log->bytes, log->room = 2 * (log->length + length));
  memcpy(log->bytes + log->length, bytes, length);
  log->length += length;
}

static void append_line(struct log *log, const char *line, size_t length) {
  char head[64];
  if (!log->is_new) grown[grown_count++] = log;
  log->is_new = 1;
  append(log, head, (size_t)snprintf(head, sizeof head, "id: %lu\nevent: custom\ndata: ", ++log->last));
  append(log, line, length);
  append(log, "\n\n", 2);
}

static void catch_up(struct connection *c) {
  if (c->is_full || c->fd < 0) return;
  while (c->cursor < c->log->length) {
    ssize_t n = send(c->fd, c->log->bytes + c->cursor, c->log->length - c->cursor, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return; /* it went away; the next read tells */
    if (n < 0) {
      c->is_full = 1;
      watch_fd(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, (uint64_t)(uintptr_t)c);
      return;
    }
    c->cursor += (size_t)n;
  }
}

static void on_head(void *of) {
  struct connection *c = of;
  char *path = strchr(c->http.first, '/');
  c->log = &logs[path ? strtoul(path + 1, NULL, 10) % RUNS : 0];
  static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (c->http.chunked && send(c->fd, more, sizeof more - 1, MSG_NOSIGNAL) < 0) die("send");
  if (c->http.chunked) return;
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: connected\n\n";
  if (send(c->fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0) die("send");
  c->is_viewer = 1;
  c->next = c->log->viewers;
  c->log->viewers = c;
  catch_up(c);
}

static void on_body(void *of, const char *at, size_t length) {
  struct connection *c = of;
  for (const char *end = at + length, *feed; at < end; at = feed + 1) {
    feed = memchr(at, '\n', (size_t)(end - at));
    size_t piece = (size_t)((feed ? feed : end) - at);
    if (c->part_bytes + piece > c->part_room) c->part = grow(c->part, c->part_room = 2 * (c->part_bytes + piece));
    memcpy(c->part + c->part_bytes, at, piece);
    c->part_bytes += piece;
    if (!feed) return;
    append_line(c->log, c->part, c->part_bytes);
    c->part_bytes = 0;
  }
}

static void on_end(void *of) {
  struct connection *c = of;
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  if (!c->is_viewer && send(c->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) die("send");
}

static const struct http_events EVENTS = {on_head, on_body, on_end};

static void serve(struct connection *c, uint32_t events) {
  static char buffer[64 * 1024];
  if (events & EPOLLOUT) {
    c->is_full = 0;
    watch_fd(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN, (uint64_t)(uintptr_t)c);
    catch_up(c);
  }
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n > 0) {
    http_feed(&c->http, buffer, (size_t)n, &EVENTS, c);
  } else {
    close(c->fd);
    c->fd = -1;
  }
}

static void greet(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (!c) die("calloc");
    c->fd = fd;
    c->http.is_request = 1;
    watch_fd(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint64_t)(uintptr_t)c);
  }
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t length = sizeof at;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 4096) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&at, &length);
  printf("http://127.0.0.1:%d\n", ntohs(at.sin_port));
  fflush(stdout);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watch_fd(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, LISTENER_ID);
  for (;;) {
    struct epoll_event ready[512];
    int n = epoll_wait(epoll, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.u64 == LISTENER_ID) greet(listener);
      else serve((struct connection *)(uintptr_t)ready[i].data.u64, ready[i].events);
    }
    for (size_t i = 0; i < grown_count; i++) {
      grown[i]->is_new = 0;
      for (struct connection *c = grown[i]->viewers; c; c = c->next) catch_up(c);
    }
    grown_count = 0;
  }
}

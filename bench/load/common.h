/* What the load programs share: the clock, the marker of an event, a histogram, sockets. */
#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* In every event: '~', its number in its run (10 digits), when it was due (16 digits, microseconds of CLOCK_MONOTONIC,
 * which all processes of one machine share). Nothing else that is sent holds a '~'. */
#define MARKER_BYTES 27

static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static inline void *grow(void *old, size_t bytes) {
  void *block = realloc(old, bytes);
  if (!block) die("realloc");
  return block;
}

static inline uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Microseconds, rounded down by less than 1.6 %: exact up to 127, then 64 buckets for each power of two. */
struct histogram {
  uint64_t counts[128 * 32], total, sum, max;
};

static inline void record(struct histogram *h, uint64_t us) {
  unsigned power = us < 128 ? 0 : (unsigned)(57 - __builtin_clzll(us));
  size_t bucket = 128 * (size_t)power + (us >> power);
  if (bucket >= sizeof h->counts / sizeof *h->counts) bucket = sizeof h->counts / sizeof *h->counts - 1;
  h->counts[bucket]++;
  h->total++;
  h->sum += us;
  if (us > h->max) h->max = us;
}

static inline uint64_t percentile(const struct histogram *h, double share) {
  uint64_t wanted = (uint64_t)(share * (double)h->total), seen = 0;
  for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++) {
    seen += h->counts[i];
    if (seen > wanted) return (uint64_t)(i % 128) << (i / 128);
  }
  return h->max;
}

static inline void print_histogram(const char *name, const struct histogram *h) {
  printf(",\"%s\":{\"count\":%lu,\"mean\":%.1f,\"p50\":%lu,\"p99\":%lu,\"max\":%lu}", name, h->total,
         h->total ? (double)h->sum / (double)h->total : 0, percentile(h, 0.5), percentile(h, 0.99), h->max);
}

/* The header line that says who asks, where the server wants to know. */
static inline const char *credential(void) {
  static char line[1024];
  const char *token = getenv("BENCH_TOKEN");
  if (token && !line[0]) snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", token);
  return line;
}

/* Begins to connect to 127.0.0.1; the socket is writable once it is. */
static inline int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0) die("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  return fd;
}

static inline void watch_fd(int epoll, int op, int fd, uint32_t events, uint64_t id) {
  struct epoll_event event = {.events = events, .data.u64 = id};
  if (epoll_ctl(epoll, op, fd, &event) < 0) die("epoll_ctl");
}

/* The lines of a file. */
static inline char **read_lines(const char *name, size_t *count) {
  FILE *file = fopen(name, "r");
  if (!file) die(name);
  char **lines = NULL, *line = NULL;
  size_t size = 0;
  *count = 0;
  for (ssize_t n; (n = getline(&line, &size, file)) > 0; line = NULL, size = 0) {
    if (line[n - 1] == '\n') line[n - 1] = 0;
    lines = grow(lines, (*count + 1) * sizeof *lines);
    lines[(*count)++] = line;
  }
  fclose(file);
  return lines;
}

#endif

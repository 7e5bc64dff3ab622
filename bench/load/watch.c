/*
 * Viewers: so many connections that read event streams and check every event's number.
 *
 *   watch <port> <connections> <file with one path per line> <until>
 *
 * Connection i reads path i modulo their count. Prints {"ready":…} when all are answered. Then, told by lines on stdin:
 * "reset" zeroes what is counted in a window (gaps and repeats are never zeroed), "report" prints it as a line of JSON.
 * With until > 0 a connection is closed when it has that number, and {"finished":…} is printed when all have. Ends with
 * its stdin.
 */
#include "http.h"

#define READ_BYTES (256 * 1024)
#define CONNECTING 128 /* at once, so that no listen queue overflows */
#define STDIN_ID UINT64_MAX

struct connection {
  int fd, answered, has_data;
  struct http http;
  uint64_t asked_us, last;
  char *part; /* of a line that is not complete */
  size_t part_bytes, part_room;
};

static struct connection *all;
static size_t count, paths_count, opened, open_now, answered, refused, closed, finished;
static char **paths;
static int epoll, port;
static uint64_t until, now, window_start, events, frames, comments, bytes, gaps, repeats;
static struct histogram latency, first_byte, finish;

static uint64_t digits(const char *at, int n) {
  uint64_t value = 0;
  while (n-- > 0) value = value * 10 + (uint64_t)(*at++ - '0');
  return value;
}

static void see(struct connection *c, uint64_t number, uint64_t due_us) {
  if (number <= c->last) {
    repeats++;
    return;
  }
  gaps += number - c->last - 1;
  c->last = number;
  events++;
  record(&latency, now > due_us ? now - due_us : 0);
}

static void read_line(struct connection *c, const char *line, size_t length) {
  if (length > 0 && line[length - 1] == '\r') length--;
  if (length == 0) {
    frames += (uint64_t)c->has_data;
    c->has_data = 0;
  } else if (line[0] == ':' || (length == 11 && !memcmp(line, "event: ping", 11))) {
    /* nchan's heartbeat is an event without data, which no EventSource shows. */
    comments++;
  } else if (length >= 5 && !memcmp(line, "data:", 5)) {
    c->has_data = 1;
    /* A frame of merged deltas holds several markers. */
    for (const char *at = line, *end = line + length; (at = memchr(at, '~', (size_t)(end - at)));) {
      if (end - at < MARKER_BYTES) break;
      see(c, digits(at + 1, 10), digits(at + 11, 16));
      at += MARKER_BYTES;
    }
  }
}

static void on_body(void *of, const char *at, size_t length) {
  struct connection *c = of;
  if (!c->answered) return;
  const char *end = at + length, *feed;
  while ((feed = memchr(at, '\n', (size_t)(end - at)))) {
    if (c->part_bytes == 0) {
      read_line(c, at, (size_t)(feed - at));
    } else {
      size_t whole = c->part_bytes + (size_t)(feed - at);
      if (whole > c->part_room) c->part = grow(c->part, c->part_room = whole);
      memcpy(c->part + c->part_bytes, at, (size_t)(feed - at));
      c->part_bytes = 0;
      read_line(c, c->part, whole);
    }
    at = feed + 1;
  }
  size_t rest = (size_t)(end - at);
  if (rest == 0) return;
  if (c->part_bytes + rest > c->part_room) c->part = grow(c->part, c->part_room = 2 * (c->part_bytes + rest));
  memcpy(c->part + c->part_bytes, at, rest);
  c->part_bytes += rest;
}

static void on_head(void *of) {
  struct connection *c = of;
  c->answered = c->http.status == 200;
  if (c->answered) {
    answered++;
    record(&first_byte, now - c->asked_us);
  } else {
    refused++;
  }
}

static void on_end(void *of) { (void)of; }

static const struct http_events EVENTS = {on_head, on_body, on_end};

static void open_next(void) {
  struct connection *c = &all[opened];
  c->fd = connect_to(port);
  watch_fd(epoll, EPOLL_CTL_ADD, c->fd, EPOLLOUT, opened++);
  open_now++;
}

static void ask(struct connection *c, size_t i) {
  char request[2048];
  int n = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sAccept: text/event-stream\r\n\r\n",
                   paths[i % paths_count], port, credential());
  c->asked_us = now_us();
  if (send(c->fd, request, (size_t)n, MSG_NOSIGNAL) != n) die("send");
  watch_fd(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN, i);
}

static void drop(struct connection *c) {
  close(c->fd);
  c->fd = -1;
  open_now--;
}

static void receive(struct connection *c) {
  static char buffer[READ_BYTES];
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    closed++;
    if (!c->answered && c->http.lines == 0) refused++;
    drop(c);
    return;
  }
  bytes += (uint64_t)n;
  now = now_us();
  http_feed(&c->http, buffer, (size_t)n, &EVENTS, c);
  if (until > 0 && c->last >= until && !c->has_data) {
    record(&finish, now - c->asked_us);
    finished++;
    drop(c);
  }
}

static void report(void) {
  uint64_t lowest = UINT64_MAX, highest = 0;
  for (size_t i = 0; i < count; i++) {
    if (all[i].last < lowest) lowest = all[i].last;
    if (all[i].last > highest) highest = all[i].last;
  }
  printf("{\"elapsedUs\":%lu,\"events\":%lu,\"frames\":%lu,\"comments\":%lu,\"bytes\":%lu,\"gaps\":%lu,\"repeats\":%lu,"
         "\"refused\":%lu,\"closed\":%lu,\"lowest\":%lu,\"highest\":%lu",
         now_us() - window_start, events, frames, comments, bytes, gaps, repeats, refused, closed, lowest, highest);
  print_histogram("latency", &latency);
  print_histogram("firstByte", &first_byte);
  print_histogram("finish", &finish);
  printf("}\n");
}

static void obey(void) {
  char text[256];
  ssize_t n = read(0, text, sizeof text - 1);
  if (n <= 0) exit(0);
  text[n] = 0;
  for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
    if (!strcmp(line, "report")) report();
    if (strcmp(line, "reset")) continue;
    events = frames = comments = bytes = 0;
    memset(&latency, 0, sizeof latency);
    window_start = now_us();
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  port = atoi(argv[1]);
  count = strtoul(argv[2], NULL, 10);
  paths = read_lines(argv[3], &paths_count);
  until = strtoull(argv[4], NULL, 10);
  all = calloc(count, sizeof *all);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watch_fd(epoll, EPOLL_CTL_ADD, 0, EPOLLIN, STDIN_ID);
  window_start = now_us();
  int is_ready = 0, is_finished = until == 0;
  for (;;) {
    while (opened < count && opened - answered - refused < CONNECTING) open_next();
    if (!is_ready && answered + refused >= count) {
      is_ready = 1;
      printf("{\"ready\":%lu}\n", answered);
    }
    if (!is_finished && finished + closed >= count) {
      is_finished = 1;
      printf("{\"finished\":%lu}\n", finished);
    }
    struct epoll_event ready[512];
    int n = epoll_wait(epoll, ready, 512, -1);
    for (int i = 0; i < n; i++) {
      uint64_t id = ready[i].data.u64;
      if (id == STDIN_ID) obey();
      else if (ready[i].events & EPOLLOUT) ask(&all[id], id);
      else receive(&all[id]);
    }
  }
}

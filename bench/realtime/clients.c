/*
 * Many WebSocket clients in one process, which cost so little that the server is what is measured.
 *   clients PORT MAX          then commands on stdin, one a line, each answered by one line on stdout:
 *   open N FILE               N more connections by the HTTP request in FILE; answers microseconds until all have their first frame
 *   reopen FILE               resets all and connects them anew; answers microseconds until all are upgraded
 *   expect K FILE             answers "ready", and "done" when every connection has had K more text frames; FILE then holds
 *                             the moment of each arrival in nanoseconds of CLOCK_MONOTONIC, int64, connection by connection
 *   clients write FILE ROUNDS N  the bare loop: writes FILE's bytes ROUNDS times to each of the descriptors 3 … N+2
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 128, REQUEST = 8192 };
typedef struct {
  int fd, upgraded, newline, header_length;
  unsigned char header[14];
  uint64_t left;
  int opcode, frames;
} Client;

static Client *clients;
static int count, port, ep, wanted_frames, complete;
static int64_t *arrivals;
static char arrivals_file[512], request[REQUEST];
static size_t request_length;
/* Of an opening: the next to connect, how many are under way, how many are there. */
static int next_client, under_way, there, is_opening, needs_frame;
static int64_t began;

static int64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static void die(const char *what) { perror(what), exit(1); }
static void say(const char *line) { puts(line), fflush(stdout); }

static void read_request(const char *file) {
  FILE *f = fopen(file, "r");
  if (!f) die(file);
  request_length = fread(request, 1, sizeof request, f);
  fclose(f);
}

static void connect_one(int i) {
  Client *c = &clients[i];
  memset(c, 0, sizeof *c);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN | EPOLLOUT, .data.u32 = i});
  under_way++;
}

static void open_more(void) {
  while (next_client < count && under_way < AT_ONCE) connect_one(next_client++);
  if (is_opening && there == count) {
    is_opening = 0;
    printf("%lld\n", (long long)(nanoseconds() - began) / 1000), fflush(stdout);
  }
}

static void arrived(Client *c) {
  if (is_opening && needs_frame && c->frames == 0) there++, under_way--;
  c->frames++;
  if (!arrivals) return;
  int k = c->frames - 1;
  if (k >= wanted_frames) return;
  arrivals[(int64_t)(c - clients) * wanted_frames + k] = nanoseconds();
  if (k + 1 == wanted_frames && ++complete == count) {
    FILE *f = fopen(arrivals_file, "w");
    if (!f || fwrite(arrivals, sizeof *arrivals, (size_t)count * wanted_frames, f) == 0) die(arrivals_file);
    fclose(f);
    free(arrivals), arrivals = NULL;
    say("done");
  }
}

static void take(Client *c, const unsigned char *bytes, ssize_t n) {
  ssize_t i = 0;
  for (; i < n && !c->upgraded; i++) {
    if (bytes[i] == "\r\n\r\n"[c->newline]) c->newline++;
    else c->newline = bytes[i] == '\r';
    if (c->newline < 4) continue;
    c->upgraded = 1;
    if (is_opening && !needs_frame) there++, under_way--;
  }
  while (i < n) {
    if (c->left) {
      uint64_t part = (uint64_t)(n - i) < c->left ? (uint64_t)(n - i) : c->left;
      c->left -= part, i += part;
      if (c->left == 0 && c->opcode == 1) arrived(c);
      continue;
    }
    c->header[c->header_length++] = bytes[i++];
    if (c->header_length < 2) continue;
    int length = c->header[1] & 127, size = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (c->header_length < size) continue;
    c->left = length < 126 ? length : 0;
    for (int b = 2; b < size; b++) c->left = c->left << 8 | c->header[b];
    c->opcode = c->header[0] & 15;
    c->header_length = 0;
    if (c->opcode == 9 && write(c->fd, (unsigned char[]){0x8a, 0x80, 0, 0, 0, 0}, 6) < 0) die("pong");
    if (c->opcode == 8) fprintf(stderr, "closed by the server: %d\n", i + 1 < n ? bytes[i] << 8 | bytes[i + 1] : 0), exit(1);
  }
}

static void command(char *line) {
  int n;
  char file[512];
  if (sscanf(line, "open %d %511s", &n, file) == 2) {
    read_request(file);
    next_client = count, there = count, count += n, is_opening = needs_frame = 1, began = nanoseconds();
    open_more();
  } else if (sscanf(line, "reopen %511s", file) == 1) {
    read_request(file);
    for (int i = 0; i < count; i++) {
      setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
      close(clients[i].fd);
    }
    began = nanoseconds();
    /* So many resets in one instant crowd out the next packets of the loopback: who comes then waits whole seconds. */
    usleep(250000);
    next_client = there = 0, is_opening = 1, needs_frame = 0;
    open_more();
  } else if (sscanf(line, "expect %d %511s", &wanted_frames, arrivals_file) == 2) {
    for (int i = 0; i < count; i++) clients[i].frames = 0;
    complete = 0, arrivals = calloc((size_t)count * wanted_frames, sizeof *arrivals);
    say("ready");
  }
}

static int watch(int max) {
  clients = calloc(max, sizeof *clients);
  ep = epoll_create1(0);
  epoll_ctl(ep, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.u32 = UINT32_MAX});
  static unsigned char bytes[1 << 18];
  struct epoll_event ready[256];
  for (;;) {
    int some = epoll_wait(ep, ready, 256, -1);
    for (int e = 0; e < some; e++) {
      if (ready[e].data.u32 == UINT32_MAX) {
        static char line[1024];
        if (!fgets(line, sizeof line, stdin)) return 0;
        command(line);
        break;
      }
      Client *c = &clients[ready[e].data.u32];
      if (ready[e].events & EPOLLOUT) {
        if (write(c->fd, request, request_length) != (ssize_t)request_length) die("request");
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data = ready[e].data});
      }
      if (!(ready[e].events & EPOLLIN)) continue;
      ssize_t got = read(c->fd, bytes, sizeof bytes);
      if (got == 0 || (got < 0 && errno != EAGAIN)) return fputs("a connection was lost\n", stderr), 1;
      if (got > 0) take(c, bytes, got);
    }
    if (is_opening) open_more();
  }
}

static int write_all(const char *file, int rounds, int n) {
  read_request(file);
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < n; i++)
      for (size_t sent = 0; sent < request_length;) {
        ssize_t now = write(3 + i, request + sent, request_length - sent);
        if (now >= 0) sent += now;
        else if (errno == EAGAIN) poll(&(struct pollfd){.fd = 3 + i, .events = POLLOUT}, 1, -1);
        else die("write");
      }
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  printf("%lld\n", (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000LL + use.ru_utime.tv_usec + use.ru_stime.tv_usec);
  return 0;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc == 5 && !strcmp(argv[1], "write")) return write_all(argv[2], atoi(argv[3]), atoi(argv[4]));
  if (argc == 3) return setvbuf(stdin, NULL, _IONBF, 0), port = atoi(argv[1]), watch(atoi(argv[2]));
  return fputs("clients PORT MAX | clients write FILE ROUNDS N\n", stderr), 2;
}

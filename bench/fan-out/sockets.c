/*
 * The yardstick of the fan-out: what the bare system calls can do.
 *   sockets sink PORT N          connects N sockets and reads what comes. A line "B" on stdin: say "done" after B more bytes.
 *   sockets write SIZE ROUNDS N  writes SIZE bytes ROUNDS times to each of the N sockets it was given as descriptors 3 … N+2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int sink(int port, int n) {
  int ep = epoll_create1(0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event in = {.events = EPOLLIN, .data.fd = 0};
  epoll_ctl(ep, EPOLL_CTL_ADD, 0, &in);
  for (int i = 0; i < n; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) return perror("connect"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
  }
  static char bytes[1 << 18];
  struct epoll_event ready[256];
  long long missing = 0;
  for (;;) {
    int count = epoll_wait(ep, ready, 256, -1);
    for (int i = 0; i < count; i++) {
      ssize_t got = read(ready[i].data.fd, bytes, sizeof bytes - 1);
      if (got <= 0) return 0;
      if (ready[i].data.fd == 0) {
        bytes[got] = 0;
        missing += atoll(bytes);
      } else
        missing -= got;
      if (missing == 0) puts("done"), fflush(stdout);
    }
  }
}

static int write_all(int size, int rounds, int n) {
  char *frame = calloc(1, size);
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < n; i++)
      for (int sent = 0; sent < size;) {
        ssize_t now = write(3 + i, frame + sent, size - sent);
        if (now >= 0) sent += now;
        else if (errno == EAGAIN) poll(&(struct pollfd){.fd = 3 + i, .events = POLLOUT}, 1, -1);
        else return perror("write"), 1;
      }
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  printf("%lld\n", (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000LL + use.ru_utime.tv_usec + use.ru_stime.tv_usec);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "sink")) return sink(atoi(argv[2]), atoi(argv[3]));
  if (argc == 5 && !strcmp(argv[1], "write")) return write_all(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  return fputs("sockets sink PORT N | write SIZE ROUNDS N\n", stderr), 2;
}

/*
 * The floor for relaying RTP: two sockets per call, one thread, epoll, recvfrom, sendto, and the header rewritten.
 *
 *   udp-relay <calls> <callers' port> <callees' port>
 *
 * Prints the callers' ports in one line and the callees' in the next. What comes in on one port of a call leaves from
 * the other. When standard input ends it prints the processor time used, in microseconds, and the packets relayed.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CALLS = 2000, EVENTS = 64, PACKET = 2048 };

struct leg {
  int socket;
  uint32_t ssrc;
  uint16_t sequence;
  uint32_t offset;
  struct sockaddr_in to; /* its peer */
};

static struct leg legs[2 * MOST_CALLS]; /* leg and partner differ in the lowest bit */

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

static int port_of(int socket) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (getsockname(socket, (struct sockaddr *)&address, &size) < 0) return 0;
  return ntohs(address.sin_port);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Own SSRC, sequence number and timestamp: what any relay that owns its stream writes. */
static void rewrite(struct leg *leg, unsigned char *packet) {
  uint16_t sequence = htons(leg->sequence++);
  uint32_t timestamp;
  memcpy(packet + 2, &sequence, 2);
  memcpy(&timestamp, packet + 4, 4);
  timestamp = htonl(ntohl(timestamp) + leg->offset);
  memcpy(packet + 4, &timestamp, 4);
  memcpy(packet + 8, &leg->ssrc, 4);
}

int main(int count, char **arguments) {
  struct epoll_event events[EVENTS];
  unsigned char packet[PACKET];
  unsigned long relayed = 0;
  struct rusage used;
  if (count != 4) return 2;
  int calls = atoi(arguments[1]);
  if (calls < 1 || calls > MOST_CALLS) return 2;
  int poll = epoll_create1(0);
  for (int i = 0; i < 2 * calls; i++) {
    struct sockaddr_in any = loopback(0);
    int size = 4 << 20;
    legs[i].socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (legs[i].socket < 0 || bind(legs[i].socket, (struct sockaddr *)&any, sizeof any) < 0) fail("bind");
    setsockopt(legs[i].socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    legs[i].to = loopback(atoi(arguments[2 + (i & 1)]));
    legs[i].ssrc = htonl(i + 1);
    legs[i].offset = 1000u * i;
    struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = i};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, legs[i].socket, &wanted) < 0) fail("epoll_ctl");
  }
  struct epoll_event input = {.events = EPOLLIN, .data.u32 = 2 * calls};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0) fail("epoll_ctl");
  for (int side = 0; side < 2; side++) {
    for (int i = side; i < 2 * calls; i += 2) printf("%d%c", port_of(legs[i].socket), i + 2 < 2 * calls ? ' ' : '\n');
  }
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      unsigned from = events[i].data.u32;
      if (from == (unsigned)(2 * calls)) {
        getrusage(RUSAGE_SELF, &used);
        printf("%ld %lu\n",
               (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec,
               relayed);
        return 0;
      }
      struct leg *out = &legs[from ^ 1];
      ssize_t length;
      while ((length = recvfrom(legs[from].socket, packet, sizeof packet, 0, NULL, NULL)) >= 12) {
        rewrite(out, packet);
        if (sendto(out->socket, packet, length, 0, (struct sockaddr *)&out->to, sizeof out->to) == length) relayed++;
      }
    }
  }
}

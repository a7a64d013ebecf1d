/* The yardstick of benchmarks/receive_loop.py: takes datagrams with the kernel's receive times and answers each with
 * one of a given size, with the socket calls of the receive loop and nothing else; and a probe that measures round
 * trips against either.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PAYLOAD 1472
#define TIMEOUT_NS 1000000000LL
#define LOOKS_BEFORE_SLEEP 8

typedef int64_t i64;

static i64 nanoseconds(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

static i64 clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return nanoseconds(time);
}

static i64 receive_time(struct msghdr *header) {
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(header); entry; entry = CMSG_NXTHDR(header, entry))
        if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(entry), sizeof time);
            return nanoseconds(time);
        }
    return -1;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Answers until *stop is not 0; returns how many datagrams had no receive time. wait_ms 0: never sleeps. */
i64 udp_echo(int in, int out, int to_port, i64 reply_size, i64 wait_ms, volatile i64 *stop) {
    char payload[PAYLOAD], ancillary[128];
    struct sockaddr_in sender, to = loopback(to_port);
    struct iovec vector = {payload, sizeof payload};
    i64 unstamped = 0;
    int idle = 0;
    while (!*stop) {
        struct msghdr header = {&sender, sizeof sender, &vector, 1, ancillary, sizeof ancillary, 0};
        ssize_t length = recvmsg(in, &header, MSG_DONTWAIT | MSG_TRUNC);
        if (length >= 0) {
            idle = 0;
            unstamped += receive_time(&header) < 0;
            sendto(out, payload, (size_t)reply_size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
        } else if (errno == EAGAIN && wait_ms && ++idle >= LOOKS_BEFORE_SLEEP) {
            struct pollfd entry = {in, POLLIN, 0};
            poll(&entry, 1, (int)wait_ms);
            idle = 0;
        }
    }
    return unstamped;
}

/* Sends count payloads of one size one after the other, each when the last was answered; writes each round trip's
 * nanoseconds. Returns how many were answered within their second.
 */
i64 udp_probe(int out, int to_port, const char *payloads, i64 size, i64 count, int in, i64 pause_ns, i64 *taken) {
    char reply[PAYLOAD];
    struct sockaddr_in to = loopback(to_port);
    for (i64 number = 0; number < count; number++) {
        i64 pause_end = clock_ns(CLOCK_MONOTONIC) + pause_ns;
        while (clock_ns(CLOCK_MONOTONIC) < pause_end) { }
        i64 start = clock_ns(CLOCK_MONOTONIC);
        sendto(out, payloads + number * size, (size_t)size, 0, (struct sockaddr *)&to, sizeof to);
        while (recv(in, reply, sizeof reply, MSG_DONTWAIT) < 0)
            if (clock_ns(CLOCK_MONOTONIC) - start > TIMEOUT_NS) return number;
        taken[number] = clock_ns(CLOCK_MONOTONIC) - start;
    }
    return count;
}

/* The clock on the wall is SKEW seconds off, for a program that has this in LD_PRELOAD.
   libfaketime does not do: Python's sleep() or its locks fail under it, as they wait for a moment
   of the monotonic clock, which is right here. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = syscall(SYS_clock_gettime, clock, now);
    const char *skew = getenv("SKEW");
    if (!failed && skew && clock == CLOCK_REALTIME)
        now->tv_sec += atoi(skew);
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return result ? (*result = now.tv_sec) : now.tv_sec;
}

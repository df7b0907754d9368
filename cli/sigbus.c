/* SPDX-License-Identifier: Apache-2.0
 *
 * sigbus.c -- a trace file is shortened while it is mapped: its missing pages end the
 * program with SIGBUS.  Here it ends with a sentence instead.
 *
 * Everything in the handler is safe in a signal handler; the name of the file comes
 * from the kernel's list of mappings. */
#include "cli/cmd.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4400 };

static void say(const char *s, size_t n)
{
    ssize_t ignored = write(STDERR_FILENO, s, n);

    (void)ignored;
}

static uint64_t hex(const char **p)
{
    uint64_t v = 0;

    for (;; (*p)++) {
        char c = **p;

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return v;
    }
}

/* The file in "from-to perms offset device inode   /path" if 'addr' is in it. */
static const char *path_in(const char *line, uint64_t addr)
{
    uint64_t from = hex(&line), to;

    if (*line++ != '-')
        return NULL;
    to = hex(&line);
    return addr >= from && addr < to ? strchr(line, '/') : NULL;
}

/* Writes the name of the mapped file. */
static void say_file(uint64_t addr)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    static char line[LINE_MAX_BYTES];
    size_t n = 0;
    char c;

    while (fd >= 0 && read(fd, &c, 1) == 1) {
        if (c != '\n') {
            line[n] = c;
            n += n + 1 < sizeof line;
            continue;
        }
        line[n] = '\0';
        n = 0;
        const char *path = path_in(line, addr);
        if (path) {
            say(path, strlen(path));
            say(": ", 2);
            break;
        }
    }
    if (fd >= 0)
        close(fd);
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    static const char begin[] = "neph: ",
                      text[] = "the file was shortened while it was read: read a copy, or when "
                               "whoever writes to it has ended\n";

    (void)number, (void)context;
    say(begin, sizeof begin - 1);
    say_file((uint64_t)(uintptr_t)info->si_addr);
    say(text, sizeof text - 1);
    _exit(RC_IO);
}

void sigbus_catch(void)
{
    struct sigaction a = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

    sigemptyset(&a.sa_mask);
    sigaction(SIGBUS, &a, NULL);
}

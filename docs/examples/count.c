/* Counts the events of each type in the traces below some folders, and adds up field
 * 'ret' of the ones that have it.
 *
 *   cc count.c $(pkg-config --cflags --libs neph) -o count && ./count FOLDER... */
#include <inttypes.h>
#include <neph.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char error[512];
    struct neph *n =
        neph_open((const char *const *)argv + 1, (size_t)argc - 1, error, sizeof error);

    if (!n) {
        fprintf(stderr, "%s\n", error);
        return 3;
    }
    uint64_t *counts = calloc(neph_classes(n) + 1, sizeof *counts);
    int64_t *sums = calloc(neph_classes(n) + 1, sizeof *sums), ret;
    const struct neph_field *field = neph_field(n, NULL, "ret");
    const struct neph_event *ev;

    while (counts && sums && (ev = neph_next(n))) {
        uint32_t c = neph_event_class(ev);

        counts[c]++;
        if (neph_i64(ev, field, &ret))
            sums[c] += ret;
    }
    for (uint32_t c = 0; c < neph_classes(n); c++)
        if (counts[c])
            printf("%" PRIu64 " %s %" PRId64 "\n", counts[c], neph_class_name(n, c), sums[c]);
    struct neph_totals t = neph_totals(n);
    printf("%" PRIu64 " events, %" PRIu64 " discarded, %" PRIu64 " packets lost, %" PRIu64 " bad\n",
           t.events, t.discarded_events, t.lost_packets, t.bad_packets);
    for (size_t i = 0; neph_note(n, i); i++)
        fprintf(stderr, "%s\n", neph_note(n, i));
    neph_close(n);
    free(counts);
    free(sums);
}

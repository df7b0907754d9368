/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_file.c -- see ftrace_file.h. */
#include "input/ftrace_file.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

static const uint8_t magic[10] = { 0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g' };

enum { SECTIONS_MAX = 4096, CPUS_MAX = 1 << 16, BUFFER_NAME_MAX = 10, HEADER_BYTES = 16 };

/* Options of both versions; those from 16 on say where a section is. */
enum option {
    OPTION_DONE = 0,
    OPTION_DATE = 1,
    OPTION_CPUSTAT = 2,
    OPTION_BUFFER = 3,
    OPTION_TRACECLOCK = 4,
    OPTION_UNAME = 5,
    OPTION_OFFSET = 7,
    OPTION_CPUCOUNT = 8,
    OPTION_VERSION = 9,
    OPTION_TRACEID = 11,
    OPTION_TIME_SHIFT = 12,
    OPTION_TSC2NSEC = 14,
    OPTION_HEADER_INFO = 16,
    OPTION_FTRACE_EVENTS = 17,
    OPTION_EVENT_FORMATS = 18,
    OPTION_CMDLINES = 21,
    OPTION_BUFFER_TEXT = 22,
};

/* A place in some bytes; once something is not there, it has failed and yields zeros. */
struct cur {
    const struct ftrace_file *f;
    const uint8_t *p;
    uint64_t n, at;
    bool failed;
};

static struct cur cur_of(const struct ftrace_file *f, const uint8_t *p, uint64_t n)
{
    return (struct cur){ .f = f, .p = p, .n = n };
}

static struct str take(struct cur *c, uint64_t n)
{
    if (c->failed || n > c->n - c->at) {
        c->failed = true;
        return STR("");
    }
    c->at += n;
    return (struct str){ (const char *)c->p + c->at - n, n };
}

static uint64_t take_number(struct cur *c, uint32_t size)
{
    struct str s = take(c, size);

    return s.n ? ftrace_number(&c->f->machine, (const uint8_t *)s.p, size) : 0;
}

/* A text with its NUL. */
static struct str take_text(struct cur *c)
{
    const uint8_t *nul = c->at < c->n ? memchr(c->p + c->at, 0, c->n - c->at) : NULL;

    if (c->failed || !nul) {
        c->failed = true;
        return STR("");
    }
    struct str s = take(c, (uint64_t)(nul - c->p) - c->at + 1);
    return str_first(s, s.n - 1);
}

static void add_property(struct ftrace_file *f, const char *key, struct str value)
{
    *vec_push(&f->properties) =
        (struct reader_property){ str_of(key), str_dup(&f->mem, str_trim(value)) };
}

/* --- layouts and names -------------------------------------------------------------- */

static const struct ftrace_field *field_of(const struct ftrace_event *e, const char *name)
{
    for (uint32_t i = 0; i < e->nfields; i++)
        if (str_is(e->fields[i].name, name))
            return &e->fields[i];
    return NULL;
}

/* Where a page of the ring buffer has its length and its events. */
static void read_header_info(struct ftrace_file *f, struct cur *c)
{
    struct ftrace_event page = { 0 };

    take(c, sizeof "header_page");
    ftrace_format_fields(take(c, take_number(c, 8)), &f->machine, &f->mem, &page);
    take(c, sizeof "header_event");
    take(c, take_number(c, 8));
    const struct ftrace_field *commit = field_of(&page, "commit"), *data = field_of(&page, "data");
    if (!commit || !data || (commit->size != 4 && commit->size != 8))
        return;
    f->commit_at = commit->offset;
    f->commit_bytes = f->machine.long_bytes = commit->size;
    f->data_at = data->offset;
}

static void add_format(struct ftrace_file *f, struct str text)
{
    struct ftrace_event e;

    if (f->events.n >= LIMIT_EVENT_CLASSES)
        return;
    if (ftrace_format_parse(text, &f->machine, &f->mem, &e))
        *vec_push(&f->events) = e;
    else if (text.n)
        note_add(f->notes, NOTE_WARN, f->path,
                 "the layout of an event can't be read: it is left "
                 "out with all its events");
}

static void read_formats(struct ftrace_file *f, struct cur *c)
{
    uint64_t n = take_number(c, 4);

    for (uint64_t i = 0; i < n && !c->failed; i++)
        add_format(f, take(c, take_number(c, 8)));
}

static void read_systems(struct ftrace_file *f, struct cur *c)
{
    uint64_t n = take_number(c, 4);

    for (uint64_t i = 0; i < n && !c->failed; i++) {
        take_text(c);
        read_formats(f, c);
    }
}

/* Lines "thread comm". */
static void read_comms(struct ftrace_file *f, struct cur *c)
{
    struct str rest = take(c, take_number(c, 8));

    while (rest.n) {
        size_t end = str_chr(rest, '\n', 0);
        struct str line = str_trim(end == STR_NONE ? rest : str_first(rest, end));
        size_t space = str_chr(line, ' ', 0);
        uint64_t tid;

        if (space != STR_NONE && str_u64(str_first(line, space), &tid))
            map64_set(&f->comm_of, tid, strtab_id(&f->comms, str_from(line, space + 1)));
        rest = end == STR_NONE ? STR("") : str_from(rest, end + 1);
    }
}

/* --- options ------------------------------------------------------------------------ */

/* "Linux node 6.1.0 x86_64": the second word is the node's name. */
static void read_uname(struct ftrace_file *f, struct str text)
{
    size_t a = str_chr(text, ' ', 0), b;

    add_property(f, "uname", text);
    if (a == STR_NONE)
        return;
    struct str rest = str_from(text, a + 1);
    b = str_chr(rest, ' ', 0);
    f->host = str_dup(&f->mem, b == STR_NONE ? rest : str_first(rest, b));
}

/* "local global [mono] boot": the one in brackets. */
static void read_clock(struct ftrace_file *f, struct str text)
{
    struct str clock;

    if (f->clock.n == 0 && str_between(text, STR("["), STR("]"), &clock))
        f->clock = str_dup(&f->mem, clock);
}

/* A number in decimal or, as trace-cmd writes it, in hexadecimal. */
static int64_t number_in(struct str s)
{
    char text[40];

    s = str_trim(s);
    snprintf(text, sizeof text, "%.*s", (int)(s.n < 39 ? s.n : 39), s.p);
    return strtoll(text, NULL, 0);
}

/* "entries: 26648\noverrun: 3\n...": what was overwritten or had no room. */
static void read_cpustat(struct ftrace_file *f, struct str text)
{
    static const char *const lost[] = { "\noverrun:", "\ncommit overrun:", "\ndropped events:" };
    struct str value;
    uint64_t n;

    for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
        if (str_between(text, str_of(lost[i]), STR("\n"), &value) && str_u64(str_trim(value), &n) &&
            n <= INT64_MAX)
            f->overrun += n;
}

static void add_source(struct ftrace_file *f, uint64_t cpu, uint64_t offset, uint64_t bytes,
                       uint32_t page_bytes, bool is_packed)
{
    if (bytes == 0)
        return;
    if (f->source_bytes > f->map.n) { /* they overlap: no reader needs to go through them all */
        note_add(f->notes, NOTE_LOST, f->path,
                 "the list of CPUs is damaged: it has more bytes than "
                 "the file");
        return;
    }
    if (offset >= f->map.n || bytes > f->map.n - offset) {
        note_add(f->notes, NOTE_LOST, f->path,
                 "the file is cut off: events of CPU %" PRIu64 " should be at bytes %" PRIu64
                 " to %" PRIu64 ", the file has %zu",
                 cpu, offset, offset + bytes, f->map.n);
        if (offset >= f->map.n)
            return;
        bytes = f->map.n - offset;
    }
    f->source_bytes += bytes;
    *vec_push(&f->sources) =
        (struct ftrace_source){ .cpu = cpu < CPUS_MAX ? (uint32_t)cpu : UINT32_MAX,
                                .offset = offset,
                                .bytes = bytes,
                                .page_bytes = page_bytes,
                                .is_packed = is_packed };
}

static bool page_fits(uint64_t bytes)
{
    return bytes >= 64 && bytes <= (16 << 20);
}

/* Version 6: a list of offsets and sizes, one a CPU. */
static void read_cpu_offsets(struct ftrace_file *f, struct cur *c)
{
    for (uint32_t cpu = 0; cpu < f->cpus && !c->failed; cpu++) {
        uint64_t offset = take_number(c, 8), bytes = take_number(c, 8);

        add_source(f, cpu, offset, bytes, f->page_bytes, false);
    }
}

/* Version 7: which CPUs there are, and where; sections of an instance have a clock
 * of their own. */
static void read_buffer(struct ftrace_file *f, struct cur *c)
{
    uint64_t at = take_number(c, 8);
    struct str name = take_text(c), clock = take_text(c);
    uint64_t page_bytes = take_number(c, 4), n = take_number(c, 4);

    if (c->failed || !page_fits(page_bytes) || at > f->map.n || f->map.n - at < HEADER_BYTES) {
        note_add(f->notes, NOTE_LOST, f->path,
                 "the buffer '" STR_FMT "' is not where the file says",
                 STR_ARG(str_first(name, 100)));
        return;
    }
    if (name.n == 0 || f->clock.n == 0)
        f->clock = str_dup(&f->mem, clock);
    else if (!str_eq(clock, f->clock))
        note_add(f->notes, NOTE_WARN, f->path,
                 "the buffer '" STR_FMT "' has the clock '" STR_FMT "', others have '" STR_FMT
                 "': their events are in no order",
                 STR_ARG(str_first(name, 100)), STR_ARG(str_first(clock, 100)), STR_ARG(f->clock));
    bool packed = ftrace_number(&f->machine, f->map.p + at + 2, 2) & 1;
    for (uint64_t i = 0; i < n && !c->failed; i++) {
        uint64_t cpu = take_number(c, 4), offset = take_number(c, 8), bytes = take_number(c, 8);

        if (!c->failed)
            add_source(f, cpu, offset, bytes, (uint32_t)page_bytes, packed);
    }
}

/* What both versions have. */
static void read_option(struct ftrace_file *f, uint64_t id, struct str data)
{
    struct cur c = cur_of(f, (const uint8_t *)data.p, data.n);
    size_t nul = str_chr(data, '\0', 0);
    struct str text = nul == STR_NONE ? data : str_first(data, nul);
    ns_t shift = 0;

    switch (id) {
    case OPTION_DATE:
        add_property(f, "date", text);
        if (!__builtin_mul_overflow(number_in(text), 1000, &shift))
            f->is_wall = true;
        break;
    case OPTION_OFFSET:
        add_property(f, "offset", text);
        shift = number_in(text);
        break;
    case OPTION_CPUSTAT: read_cpustat(f, text); break;
    case OPTION_TRACECLOCK: read_clock(f, text); break;
    case OPTION_UNAME: read_uname(f, text); break;
    case OPTION_VERSION:
        add_property(f, "tracer",
                     str_of(arena_printf(&f->mem, "trace-cmd " STR_FMT, STR_ARG(text))));
        break;
    case OPTION_TRACEID:
        add_property(f, "trace_id",
                     str_of(arena_printf(&f->mem, "0x%" PRIx64, take_number(&c, 8))));
        break;
    case OPTION_TIME_SHIFT:
        note_add(f->notes, NOTE_WARN, f->path,
                 "was recorded in a guest together with its host: times are the guest's own, not "
                 "moved to the host's");
        break;
    case OPTION_TSC2NSEC:
        f->tsc_mult = (uint32_t)take_number(&c, 4);
        f->tsc_shift = (uint32_t)take_number(&c, 4) & 63;
        break;
    default: break;
    }
    if (__builtin_add_overflow(f->offset, shift, &f->offset))
        f->offset = 0;
}

/* --- version 6 ---------------------------------------------------------------------- */

/* The events of an instance: "flyrecord", then the list of offsets. */
static void read_instance(struct ftrace_file *f, struct str option)
{
    struct cur o = cur_of(f, (const uint8_t *)option.p, option.n);
    struct cur c = cur_of(f, f->map.p, f->map.n);

    take(&c, take_number(&o, 8));
    if (str_starts(take(&c, BUFFER_NAME_MAX), STR("flyrecord")))
        read_cpu_offsets(f, &c);
    else
        note_add(f->notes, NOTE_LOST, f->path,
                 "the events of an instance are not where the file "
                 "says: they are left out");
}

static void read_v6_options(struct ftrace_file *f, struct cur *c, uint32_t cpus)
{
    VEC(struct str) instances = { 0 };

    f->cpus = cpus;
    for (;;) {
        uint64_t id = take_number(c, 2);

        if (c->failed || id == OPTION_DONE)
            break;
        struct str data = take(c, take_number(c, 4));
        struct cur o = cur_of(f, (const uint8_t *)data.p, data.n);
        if (id == OPTION_BUFFER && instances.n < SECTIONS_MAX)
            *vec_push(&instances) = data;
        else if (id == OPTION_CPUCOUNT && (cpus = (uint32_t)take_number(&o, 4)) <= CPUS_MAX)
            f->cpus = cpus;
        else
            read_option(f, id, data);
    }
    for (size_t i = 0; i < instances.n; i++)
        read_instance(f, instances.at[i]);
    vec_free(&instances);
}

static int read_v6(struct ftrace_file *f, struct cur *c, struct err *err)
{
    read_header_info(f, c);
    read_formats(f, c); /* of ftrace itself */
    read_systems(f, c);
    take(c, take_number(c, 4)); /* kernel symbols */
    take(c, take_number(c, 4)); /* printk formats */
    read_comms(f, c);
    uint64_t cpus = take_number(c, 4);
    struct str kind = take(c, BUFFER_NAME_MAX);
    if (c->failed || cpus > CPUS_MAX)
        return err_set(err, E_CORRUPT,
                       "%s: the header of trace.dat is damaged or cut off at byte %" PRIu64
                       " of %" PRIu64,
                       f->path, c->at, c->n);
    f->cpus = (uint32_t)cpus;
    if (str_starts(kind, STR("options"))) {
        read_v6_options(f, c, f->cpus);
        kind = take(c, BUFFER_NAME_MAX);
    }
    if (str_starts(kind, STR("latency")))
        return err_set(err, E_UNSUP,
                       "%s: holds a latency tracer's text, no events: `trace-cmd report "
                       "-i FILE >FILE.txt` makes it readable",
                       f->path);
    if (!str_starts(kind, STR("flyrecord")))
        return err_set(err, E_CORRUPT, "%s: damaged at byte %" PRIu64 ": no list of CPUs there",
                       f->path, c->at);
    read_cpu_offsets(f, c);
    return 0;
}

/* --- version 7 ---------------------------------------------------------------------- */

bool ftrace_unpack(const uint8_t *p, size_t n, uint8_t *to, size_t size)
{
    return ZSTD_decompress(to, size, p, n) == size;
}

/* The bytes of the section at 'at', unpacked. */
static bool open_section(struct ftrace_file *f, uint64_t at, struct cur *ret)
{
    struct cur c = cur_of(f, f->map.p, f->map.n);

    take(&c, at);
    take_number(&c, 2);
    bool packed = take_number(&c, 2) & 1;
    take_number(&c, 4);
    struct str data = take(&c, take_number(&c, 8));
    if (c.failed)
        return false;
    *ret = cur_of(f, (const uint8_t *)data.p, data.n);
    if (!packed)
        return true;
    uint64_t n = take_number(ret, 4), size = take_number(ret, 4);
    data = take(ret, n);
    if (ret->failed || size > LIMIT_METADATA_BYTES)
        return false;
    uint8_t *to = xmalloc(size + 1);
    *vec_push(&f->unpacked) = to;
    *ret = cur_of(f, to, size);
    return ftrace_unpack((const uint8_t *)data.p, n, to, size);
}

struct places {
    uint64_t at[OPTION_BUFFER_TEXT + 1]; /* of a section by its option; 0: none */
};

static void read_v7_option(struct ftrace_file *f, uint64_t id, struct str data,
                           struct places *places)
{
    struct cur c = cur_of(f, (const uint8_t *)data.p, data.n);

    if (id >= OPTION_HEADER_INFO && id <= OPTION_BUFFER_TEXT) {
        if (places->at[id] == 0)
            places->at[id] = take_number(&c, 8);
    } else if (id == OPTION_BUFFER) {
        read_buffer(f, &c);
    } else if (id == OPTION_CPUCOUNT) {
        f->cpus = (uint32_t)take_number(&c, 4);
    } else {
        read_option(f, id, data);
    }
}

/* Options are a chain of sections. */
static bool read_v7_options(struct ftrace_file *f, uint64_t at, struct places *places)
{
    for (int i = 0; at && i < SECTIONS_MAX; i++) {
        struct cur c;

        if (!open_section(f, at, &c)) {
            if (i > 0)
                note_add(f->notes, NOTE_LOST, f->path,
                         "the file is cut off: the options that should be at byte %" PRIu64
                         " of %zu are missing, and with them where events are",
                         at, f->map.n);
            return i > 0;
        }
        at = 0;
        while (c.at < c.n && !c.failed) {
            uint64_t id = take_number(&c, 2);
            struct str data = take(&c, take_number(&c, 4));

            if (id == OPTION_DONE) {
                struct cur next = cur_of(f, (const uint8_t *)data.p, data.n);
                at = take_number(&next, 8);
                break;
            }
            read_v7_option(f, id, data, places);
        }
    }
    return true;
}

static int read_v7(struct ftrace_file *f, struct cur *c, struct err *err)
{
    static const struct {
        enum option id;
        void (*read)(struct ftrace_file *f, struct cur *c);
        const char *what;
    } parts[] = { { OPTION_HEADER_INFO, read_header_info, "the layout of pages" },
                  { OPTION_FTRACE_EVENTS, read_formats, "the layouts of ftrace's events" },
                  { OPTION_EVENT_FORMATS, read_systems, "the layouts of events" },
                  { OPTION_CMDLINES, read_comms, "the names of threads" } };
    struct str algorithm = take_text(c);
    struct places places = { 0 };
    struct cur section;

    take_text(c);
    uint64_t at = take_number(c, 8);
    if (!str_is(algorithm, "zstd") && !str_is(algorithm, "none"))
        return err_set(err, E_UNSUP,
                       "%s: is compressed with '" STR_FMT "', which is not known here: `trace-cmd "
                       "convert -i FILE -o NEW --file-version 7 --compression none` where it was "
                       "recorded unpacks it",
                       f->path, STR_ARG(str_first(algorithm, 40)));
    if (c->failed || !read_v7_options(f, at, &places))
        return err_set(err, E_CORRUPT,
                       "%s: the options of trace.dat are not at byte %" PRIu64 " of %" PRIu64
                       ": damaged or cut off",
                       f->path, at, c->n);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        uint64_t place = places.at[parts[i].id];

        section.failed = true;
        if (place && open_section(f, place, &section))
            parts[i].read(f, &section);
        if (place && section.failed)
            note_add(f->notes, NOTE_LOST, f->path, "%s are damaged at byte %" PRIu64, parts[i].what,
                     place);
    }
    if (places.at[OPTION_BUFFER_TEXT])
        note_add(f->notes, NOTE_WARN, f->path, "holds a latency tracer's text too: it is left out");
    return 0;
}

/* --- opening ------------------------------------------------------------------------ */

bool ftrace_file_is(struct str head)
{
    return str_starts(head, (struct str){ (const char *)magic, sizeof magic });
}

/* For people: which clock, what it counts from. */
static void describe_clock(struct ftrace_file *f)
{
    if (f->clock.n == 0)
        f->clock = STR("local");
    f->is_wall = f->is_wall || str_is(f->clock, "tai");
    add_property(f, "clock", f->clock);
    if (f->tsc_mult)
        add_property(f, "clock_scale",
                     str_of(arena_printf(&f->mem, "cycles * %u >> %u", f->tsc_mult, f->tsc_shift)));
    if (!f->is_wall && !str_is(f->clock, "mono")) /* else: input/experiment.c */
        note_add(f->notes, NOTE_INFO, f->path,
                 "times are of the clock '" STR_FMT "', which does not count from 1970: they can't "
                 "be compared with times of day",
                 STR_ARG(f->clock));
    if (!f->tsc_mult &&
        (str_is(f->clock, "counter") || str_is(f->clock, "x86-tsc") || str_is(f->clock, "uptime")))
        note_add(f->notes, NOTE_WARN, f->path,
                 "the clock '" STR_FMT "' does not count nanoseconds: durations are in its own "
                 "unit; record with `trace-cmd record -C mono`",
                 STR_ARG(f->clock));
}

static int read_head(struct ftrace_file *f, struct cur *c, struct err *err)
{
    struct str version;
    uint64_t n;

    take(c, sizeof magic);
    version = take_text(c);
    if (!str_u64(version, &n) || (n != 6 && n != 7))
        return err_set(err, E_UNSUP,
                       "%s: is a trace.dat of version '" STR_FMT "'; 6 and 7 can be read", f->path,
                       STR_ARG(str_first(version, 20)));
    f->version = (uint32_t)n;
    f->machine.big_endian = take_number(c, 1) == 1;
    f->machine.long_bytes = take_number(c, 1) == 4 ? 4 : 8;
    uint64_t page_bytes = take_number(c, 4);
    if (c->failed || !page_fits(page_bytes))
        return err_set(err, E_CORRUPT, "%s: the header of trace.dat is damaged or cut off",
                       f->path);
    f->page_bytes = (uint32_t)page_bytes;
    return 0;
}

int ftrace_file_open(const char *path, struct notes *notes, struct ftrace_file *ret,
                     struct err *err)
{
    struct ftrace_file f = { .notes = notes, .path = path };
    int rc = fmap_open(path, &f.map, err);

    if (rc < 0)
        return rc;
    struct cur c = cur_of(&f, f.map.p, f.map.n);
    rc = read_head(&f, &c, err);
    if (rc == 0)
        rc = f.version == 6 ? read_v6(&f, &c, err) : read_v7(&f, &c, err);
    if (rc == 0 && (f.data_at < 12 || f.data_at > 32 || f.commit_at > f.data_at - f.commit_bytes))
        rc = err_set(err, E_CORRUPT, "%s: does not tell the layout of its pages: damaged", path);
    if (rc == 0 && f.events.n == 0)
        rc = err_set(err, E_CORRUPT, "%s: has no layout of any event: damaged or cut off", path);
    if (rc < 0) {
        ftrace_file_close(&f);
        return rc;
    }
    describe_clock(&f);
    add_property(&f, "file_version", str_of(f.version == 6 ? "6" : "7"));
    add_property(&f, "cpus", str_of(arena_printf(&f.mem, "%u", f.cpus)));
    *ret = f;
    return 0;
}

void ftrace_file_close(struct ftrace_file *f)
{
    for (size_t i = 0; i < f->unpacked.n; i++)
        free(f->unpacked.at[i]);
    vec_free(&f->unpacked);
    vec_free(&f->events);
    vec_free(&f->sources);
    vec_free(&f->properties);
    map64_free(&f->comm_of);
    strtab_free(&f->comms);
    arena_free(&f->mem);
    fmap_close(&f->map);
}

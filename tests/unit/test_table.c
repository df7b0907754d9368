/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c -- the bytes that every listing is made of. */
#define _GNU_SOURCE
#include "report/cell_text.h"
#include "report/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct column cols[] = {
    { .id = "name", .header = "NAME", .kind = COL_STR },
    { .id = "start_ns", .header = "START", .kind = COL_INSTANT },
    { .id = "took_ns", .header = "TOOK", .kind = COL_DURATION },
    { .id = "exits", .header = "EXITS", .kind = COL_COUNT },
    { .id = "ram_bytes", .header = "RAM", .kind = COL_BYTES, .flags = COL_WIDE },
    { .id = "share", .header = "SHARE", .kind = COL_RATIO, .flags = COL_WIDE },
    { .id = "up", .header = "UP", .kind = COL_BOOL, .flags = COL_WIDE },
    { .id = "tags", .header = "TAGS", .kind = COL_LIST, .flags = COL_WIDE },
    { .id = "evidence", .header = "EVIDENCE", .kind = COL_NESTED, .flags = COL_JSON },
};

static void emit_evidence(struct json *j, const void *arg)
{
    json_open(j, '{');
    json_kstr(j, "event", str_of(arg));
    json_kopen(j, "at", '[');
    json_i64(j, 1);
    json_close(j, ']');
    json_close(j, '}');
}

static void add_vm(struct table *t, const char *name, ns_t start, ns_t took, uint64_t exits)
{
    table_row(t);
    table_str(t, str_of(name));
    table_ns(t, start);
    table_ns(t, took);
    table_count(t, exits);
}

/* Two rows: one with everything, one where only the first cells are known. */
static void fill(struct table *t)
{
    static const struct str tags[] = { { "web", 3 }, { "a,b", 3 } };

    table_init(t, cols, ARRAY_SIZE(cols));
    add_vm(t, "vm-1000", 1470668622148087831, 7986123, 42);
    table_count(t, 1572864);
    table_ratio(t, 0.1234);
    table_bool(t, true);
    table_list(t, tags, ARRAY_SIZE(tags));
    table_nested(t, emit_evidence, "kvm_exit");
    table_row(t);
    table_str(t, STR("x"));
    table_null(t);
    table_null(t);
    table_count(t, 7);
}

/* What 'o' makes of 't'; freed by the caller. */
static char *print(const struct table *t, struct table_opts o)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct err err = { 0 };

    assert_non_null(f);
    assert_int_equal(table_print(t, &o, f, &err), 0);
    fclose(f);
    return text;
}

static void expect(const struct table *t, struct table_opts o, const char *wanted)
{
    char *text = print(t, o);

    assert_string_equal(text, wanted);
    free(text);
}

static void test_formats(void **state)
{
    struct table t;

    (void)state;
    fill(&t);
    expect(&t, (struct table_opts){ 0 },
           "NAME     START                              TOOK  EXITS\n"
           "vm-1000  2016-08-08 15:03:42.148087831  7.986 ms     42\n"
           "x        -                                     -      7\n");
    expect(
        &t, (struct table_opts){ .format = TABLE_WIDE, .columns = NULL },
        "NAME     START                              TOOK  EXITS      RAM   SHARE  UP   TAGS\n"
        "vm-1000  2016-08-08 15:03:42.148087831  7.986 ms     42  1.5 MiB  12.3 %  yes  web, a,b\n"
        "x        -                                     -      7        -       -  -    -\n");
    expect(&t, (struct table_opts){ .format = TABLE_CSV },
           "name,start_ns,took_ns,exits,ram_bytes,share,up,tags\n"
           "vm-1000,1470668622148087831,7986123,42,1572864,0.1234,true,\"web;a,b\"\n"
           "x,,,7,,,,\n");
    expect(&t, (struct table_opts){ .format = TABLE_VALUE },
           "vm-1000\t1470668622148087831\t7986123\t42\n"
           "x\t\t\t7\n");
    expect(&t, (struct table_opts){ .format = TABLE_JSONL },
           "{\"name\":\"vm-1000\",\"start_ns\":1470668622148087831,\"took_ns\":7986123,"
           "\"exits\":42,\"ram_bytes\":1572864,\"share\":0.1234,\"up\":true,"
           "\"tags\":[\"web\",\"a,b\"],\"evidence\":{\"event\":\"kvm_exit\",\"at\":[1]}}\n"
           "{\"name\":\"x\",\"start_ns\":null,\"took_ns\":null,\"exits\":7,\"ram_bytes\":null,"
           "\"share\":null,\"up\":null,\"tags\":null,\"evidence\":null}\n");
    expect(&t, (struct table_opts){ .format = TABLE_JSON, .columns = "tags,evidence", .limit = 1 },
           "[\n"
           "  {\n"
           "    \"tags\": [\n"
           "      \"web\",\n"
           "      \"a,b\"\n"
           "    ],\n"
           "    \"evidence\": {\n"
           "      \"event\": \"kvm_exit\",\n"
           "      \"at\": [\n"
           "        1\n"
           "      ]\n"
           "    }\n"
           "  }\n"
           "]\n");
    table_free(&t);
}

static void test_empty(void **state)
{
    struct table t;

    (void)state;
    table_init(&t, cols, 4);
    expect(&t, (struct table_opts){ 0 }, "NAME  START  TOOK  EXITS\n");
    expect(&t, (struct table_opts){ .no_headers = true }, "");
    expect(&t, (struct table_opts){ .format = TABLE_JSON }, "[]\n");
    expect(&t, (struct table_opts){ .format = TABLE_JSONL }, "");
    expect(&t, (struct table_opts){ .format = TABLE_CSV }, "name,start_ns,took_ns,exits\n");
    expect(&t, (struct table_opts){ .format = TABLE_VALUE, .sort = "-name" }, "");
    table_free(&t);
}

static void test_choose(void **state)
{
    struct table t;

    (void)state;
    fill(&t);
    expect(&t, (struct table_opts){ .columns = "exits, name" },
           "EXITS  NAME\n"
           "   42  vm-1000\n"
           "    7  x\n");
    expect(&t, (struct table_opts){ .columns = "name,evidence", .no_headers = true, .limit = 1 },
           "vm-1000  {\"event\":\"kvm_exit\",\"at\":[1]}\n");
    expect(&t, (struct table_opts){ .format = TABLE_CSV, .columns = "evidence", .limit = 1 },
           "evidence\n\"{\"\"event\"\":\"\"kvm_exit\"\",\"\"at\"\":[1]}\"\n");
    expect(&t, (struct table_opts){ .format = TABLE_JSONL, .columns = "exits" },
           "{\"exits\":42}\n{\"exits\":7}\n");
    expect(&t, (struct table_opts){ .format = TABLE_VALUE, .columns = "name" }, "vm-1000\nx\n");
    table_free(&t);
}

static void test_csv_quoting(void **state)
{
    static const struct {
        const char *cell, *csv;
    } cases[] = {
        { "plain", "plain" },
        { "a,b", "\"a,b\"" },
        { "say \"hi\"", "\"say \"\"hi\"\"\"" },
        { "two\nlines", "\"two\nlines\"" },
        { "cr\r\nlf", "\"cr\r\nlf\"" },
        { "tab\tstays", "tab\tstays" },
        { "esc\x1b[31m", "esc\\x1b[31m" },
        { "", "\"\"" }, /* a lone empty field would read as no record */
        { " kept ", " kept " },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct table t;
        char wanted[100];

        table_init(&t, cols, 1);
        table_row(&t);
        table_str(&t, str_of(cases[i].cell));
        snprintf(wanted, sizeof wanted, "%s\n", cases[i].csv);
        expect(&t, (struct table_opts){ .format = TABLE_CSV, .no_headers = true }, wanted);
        table_free(&t);
    }
}

static void test_wide_chars(void **state)
{
    struct table t;

    (void)state;
    table_init(&t, cols, 4);
    add_vm(&t, "e\xcc\x81t\xc3\xa9", 0, 0, 1);        /* a combining accent */
    add_vm(&t, "\xe9\x9b\xb2\xe5\xb1\xb1", 0, 1, 22); /* two wide characters */
    add_vm(&t,
           "\xf0\x9f\x98\x80"
           "a",
           0, 1000, 333);                                          /* an emoji */
    add_vm(&t, "bad\xff\x1b[2J\xc2\x9b\xe2\x80\xae", 0, -5, 4444); /* no UTF-8, no escapes */
    expect(&t, (struct table_opts){ .columns = "name,took_ns,exits" },
           "NAME                       TOOK  EXITS\n"
           "e\xcc\x81t\xc3\xa9                        0 ns      1\n"
           "\xe9\x9b\xb2\xe5\xb1\xb1                       1 ns     22\n"
           "\xf0\x9f\x98\x80"
           "a                    1.000 us    333\n"
           "bad\xef\xbf\xbd\\x1b[2J\\x9b\\u202e     -5 ns   4444\n");
    table_free(&t);
}

static void test_widths(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        { "", 0 },
        { "abc", 3 },
        { "\xc3\xa9", 1 },
        { "e\xcc\x81", 1 },
        { "\xe9\x9b\xb2", 2 },
        { "\xea\xb0\x80", 2 },     /* a Hangul syllable */
        { "\xef\xbc\xa1", 2 },     /* full-width A */
        { "\xf0\x9f\x9a\x80", 2 }, /* a rocket */
        { "a\xe2\x80\x8d"
          "b",
          2 },                             /* zero-width joiner */
        { "\xe2\x80\xa6", 1 },             /* ellipsis */
        { "\xe2\x9d\xa4\xef\xb8\x8f", 1 }, /* a variation selector */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(cell_width(str_of(cases[i].text)), cases[i].width);
    assert_int_equal(cell_cut(STR("\xe9\x9b\xb2\xe5\xb1\xb1"), 3).n, 3);
    assert_int_equal(cell_cut(STR("e\xcc\x81x"), 1).n, 3);
    assert_int_equal(cell_cut(STR("abc"), 9).n, 3);
}

static void test_bad_utf8(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        { STR("\x80"), "\xef\xbf\xbd" },
        { STR("\xc3"), "\xef\xbf\xbd" },                 /* cut short */
        { STR("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd" }, /* too long a form */
        { STR("\xe0\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
        { STR("\xf5\x80\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { STR("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { STR("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf" }, /* the last one */
        { STR("nul\0nul"), "nul\\x00nul" },
        { STR("\t\n\r\x7f"), "\\t\\n\\r\\x7f" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sbuf b = { 0 };

        cell_escape(&b, cases[i].in, "");
        assert_string_equal(b.p, cases[i].out);
        sbuf_free(&b);
    }
}

static void test_sort(void **state)
{
    struct table t;

    (void)state;
    table_init(&t, cols, 4);
    add_vm(&t, "b", 5, 30, 1);
    add_vm(&t, "a", NS_MAX, 20, 2);
    add_vm(&t, "c", NS_MIN, 20, UINT64_MAX);
    table_row(&t);
    table_str(&t, STR("d"));
    table_row(&t);
    expect(&t, (struct table_opts){ .columns = "name", .sort = "name", .no_headers = true },
           "a\nb\nc\nd\n-\n");
    expect(&t, (struct table_opts){ .columns = "name", .sort = "-name", .no_headers = true },
           "d\nc\nb\na\n-\n");
    /* Unknown stays last, up and down; equal stays as added. */
    expect(&t, (struct table_opts){ .columns = "name", .sort = "took_ns", .no_headers = true },
           "a\nc\nb\nd\n-\n");
    expect(&t, (struct table_opts){ .columns = "name", .sort = "-took_ns", .no_headers = true },
           "b\na\nc\nd\n-\n");
    expect(&t, (struct table_opts){ .columns = "name", .sort = "took_ns,-name", .limit = 2 },
           "NAME\nc\na\n");
    expect(&t, (struct table_opts){ .columns = "exits", .sort = "-start_ns", .limit = 3 },
           "               EXITS\n"
           "                   2\n"
           "                   1\n"
           "18446744073709551615\n");
    expect(&t, (struct table_opts){ .columns = "name", .sort = "exits", .limit = 9 },
           "NAME\nb\na\nc\nd\n-\n");
    table_free(&t);
}

static void test_sort_lists(void **state)
{
    static const struct column list_cols[] = {
        { .id = "tags", .header = "TAGS", .kind = COL_LIST },
        { .id = "up", .header = "UP", .kind = COL_BOOL },
        { .id = "share", .header = "SHARE", .kind = COL_RATIO },
        { .id = "n", .header = "N", .kind = COL_INT },
    };
    static const struct str ab[] = { { "a", 1 }, { "b", 1 } };
    struct table t;

    (void)state;
    table_init(&t, list_cols, ARRAY_SIZE(list_cols));
    for (size_t n = 3; n-- > 0;) {
        table_row(&t);
        table_list(&t, ab, n);
        table_bool(&t, n == 1);
        table_ratio(&t, n == 0 ? __builtin_nan("") : -(double)n);
        table_int(&t, -(int64_t)n);
    }
    expect(&t, (struct table_opts){ .sort = "tags" },
           "TAGS  UP      SHARE   N\n"
           "      no          -   0\n"
           "a     yes  -100.0 %  -1\n"
           "a, b  no   -200.0 %  -2\n");
    expect(&t, (struct table_opts){ .format = TABLE_VALUE, .columns = "n", .sort = "-up,share" },
           "-1\n-2\n0\n");
    expect(&t, (struct table_opts){ .format = TABLE_JSONL, .columns = "tags", .sort = "n" },
           "{\"tags\":[\"a\",\"b\"]}\n{\"tags\":[\"a\"]}\n{\"tags\":[]}\n");
    table_free(&t);
}

static void test_max_and_align(void **state)
{
    static const struct column cut[] = {
        { .id = "cmd", .header = "CMD", .kind = COL_STR, .max = 5 },
        { .id = "id", .header = "ID", .kind = COL_STR, .align = ALIGN_RIGHT },
        { .id = "n", .header = "N", .kind = COL_INT, .align = ALIGN_LEFT },
    };
    struct table t;

    (void)state;
    table_init(&t, cut, ARRAY_SIZE(cut));
    table_row(&t);
    table_str(&t, STR("qemu-system"));
    table_str(&t, STR("7"));
    table_int(&t, 1);
    table_row(&t);
    table_str(&t, STR("12345"));
    table_str(&t, STR("1000"));
    table_int(&t, INT64_MIN);
    expect(&t, (struct table_opts){ 0 },
           "CMD      ID  N\n"
           "qemu\xe2\x80\xa6     7  1\n"
           "12345  1000  -9223372036854775808\n");
    expect(&t, (struct table_opts){ .format = TABLE_WIDE, .columns = "id,cmd", .limit = 1 },
           "ID  CMD\n"
           " 7  qemu-system\n");
    table_free(&t);
}

static void test_bytes(void **state)
{
    static const struct column byte_cols[] = {
        { .id = "x_bytes", .header = "X", .kind = COL_BYTES }
    };
    static const struct {
        uint64_t v;
        const char *text;
    } cases[] = {
        { 0, "0 B\n" },           { 1023, "1023 B\n" },         { 1024, "1.0 KiB\n" },
        { 1048575, "1.0 MiB\n" }, { UINT64_MAX, "16.0 EiB\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct table t;

        table_init(&t, byte_cols, 1);
        table_row(&t);
        table_count(&t, cases[i].v);
        expect(&t, (struct table_opts){ .no_headers = true }, cases[i].text);
        table_free(&t);
    }
}

static void test_errors(void **state)
{
    static const struct {
        struct table_opts o;
        const char *text;
    } cases[] = {
        { { .columns = "name,foo" }, "there is no column 'foo'; the columns are name, start_ns" },
        { { .columns = "" }, "there is no column ''" },
        { { .columns = "name,,exits" }, "there is no column ''" },
        { { .columns = "name,exits,name" }, "column 'name' is asked for twice" },
        { { .sort = "-foo" }, "there is no column 'foo'" },
        { { .sort = "--name" }, "there is no column '-name'" },
        { { .sort = "evidence" }, "rows can't be sorted by 'evidence'" },
        { { .sort = "name,name,name,name,name,name,name,name,name" }, "by 8 columns, not more" },
    };
    enum table_format format = TABLE_CSV;
    struct err err;
    struct table t;

    (void)state;
    fill(&t);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(table_check(cols, ARRAY_SIZE(cols), &cases[i].o, &err), -E_ARG);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_int_equal(table_print(&t, &cases[i].o, stdout, &err), -E_ARG);
    }
    assert_int_equal(table_format_parse("yaml", &format, &err), -E_ARG);
    assert_int_equal(format, TABLE_CSV);
    assert_int_equal(table_format_parse("jsonl", &format, &err), 0);
    assert_int_equal(format, TABLE_JSONL);

    FILE *full = fopen("/dev/full", "w");
    if (full) {
        assert_int_equal(table_print(&t, &(struct table_opts){ 0 }, full, &err), -E_IO);
        fclose(full);
    }
    table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),    cmocka_unit_test(test_empty),
        cmocka_unit_test(test_choose),     cmocka_unit_test(test_csv_quoting),
        cmocka_unit_test(test_wide_chars), cmocka_unit_test(test_widths),
        cmocka_unit_test(test_bad_utf8),   cmocka_unit_test(test_sort),
        cmocka_unit_test(test_sort_lists), cmocka_unit_test(test_max_and_align),
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
